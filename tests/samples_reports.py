"""Reports on samples that no network left: of all kinds, and with hostile names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_samples import HOSTILE_NAMES

from onnxmem.data.pictures import draw
from onnxmem.records import (
    SAMPLES_SCHEMA,
    DataInfo,
    Estimate,
    Evidence,
    LabelNoise,
    LayerEvidence,
    ModelInfo,
    NetworkEvidence,
    SampleEvidence,
    SamplesReport,
    Tool,
)

NETWORK = NetworkEvidence(
    samples=1200,
    fitted=0.998,
    memorized_share=Estimate(0.23, 0.2, 0.26),
    strong_share=Estimate(0.14, 0.12, 0.16),
    label_noise=LabelNoise(True, "", 0.14, 0.16, 0.09, 0.21, 0.99),
    held_out_disagreement=Estimate(0.06, 0.04, 0.08),
    held_out_samples=300,
    held_out_accuracy=0.9,
)


def evidence() -> Evidence:
    """Return evidence with all its numbers."""
    return Evidence(NETWORK, _layers(), tuple(_sample(row) for row in range(3)))


def _layers() -> tuple[LayerEvidence, ...]:
    return (
        LayerEvidence("input", 0.7, 0.04, 0.8),
        LayerEvidence("/relu1/Relu_output_0", 0.8, 0.2, 0.9),
        LayerEvidence("/relu2/Relu_output_0", None, None, None, "it holds no floats"),
        LayerEvidence("/relu3/Relu_output_0", 0.99, 0.97, 0.92),
    )


def _sample(row: int, **changed: object) -> SampleEvidence:
    margin = 0.9 - 0.0015 * row
    base = SampleEvidence(
        id=f"sample-{row}",
        row=row,
        label=row % 10,
        prediction=row % 10,
        score=0.5 + margin / 2,
        margin=margin,
        neighbours_say=(row + 3) % 10 if margin > 0 else row % 10,
        fitted=True,
        memorized=margin > 0,
        strong=margin > 0.3,
        depth=None if row % 7 == 0 else row % 4,
        neighbours=tuple((row + step) % 1200 for step in range(1, 6)) if 0 <= row < 200 else (),
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def report(count: int = 1200) -> SamplesReport:
    """Return a report of samples without pictures."""
    return SamplesReport(
        schema=SAMPLES_SCHEMA,
        tool=Tool("onnxmem", "0.0"),
        model=ModelInfo("models/net.onnx", "ab" * 32, 8, 17, "pytorch 2"),
        data=DataInfo("data.npz", "cd" * 32, count, 10, count),
        settings={"seed": 0, "pool": "all"},
        environment={"device": "cpu"},
        network=NETWORK,
        layers=_layers(),
        samples=tuple(_sample(row) for row in range(count)),
        notes=("12 of 1,200 training samples are copies of others",),
        timings={"neighbours": 1.5},
    )


def with_images() -> SamplesReport:
    """Return a report whose samples are images of three channels."""
    x = np.random.default_rng(0).random((1200, 3, 32, 32))
    return replace(report(), pictures=_drawn(x))


def with_curves() -> SamplesReport:
    """Return a report whose samples are series, and whose classes have names."""
    x = np.cumsum(np.random.default_rng(0).normal(size=(1200, 80)), axis=1)
    names = {str(number): f"class number {number}" for number in range(10)}
    return replace(report(), pictures=_drawn(x), names=names)


def _drawn(x: np.ndarray) -> dict[str, str]:
    drawn = draw({"x": x}, range(1200), 1_000_000)
    return {str(row): picture for row, picture in drawn.items()}


def hostile() -> SamplesReport:
    """Return a report all of whose names try to break out of their format."""
    base = report(40)
    samples = tuple(
        replace(sample, id=HOSTILE_NAMES[sample.row % len(HOSTILE_NAMES)])
        for sample in base.samples
    )
    names = {str(number): HOSTILE_NAMES[number % len(HOSTILE_NAMES)] for number in range(10)}
    layers = tuple(LayerEvidence(name, 0.5, 0.1, None, name) for name in HOSTILE_NAMES)
    return replace(
        base,
        samples=samples,
        names=names,
        layers=layers,
        notes=HOSTILE_NAMES,
        model=replace(base.model, path=HOSTILE_NAMES[0]),
        settings={name: name for name in HOSTILE_NAMES},
        pictures={"0": HOSTILE_NAMES[0], "1": 'M0 0L1 1"><script>alert(1)</script>'},
    )


def undecided() -> SamplesReport:
    """Return a report in which nothing could be told."""
    return replace(
        report(0),
        network=None,
        layers=(),
        samples=(),
        reason="12 different training samples are too few",
    )


ALL = {make.__name__: make for make in (report, with_images, with_curves, hostile, undecided)}
