"""Reports on layers that no network left: of all kinds, and with hostile names."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from report_samples import HOSTILE_NAMES

from onnxmem.records import (
    LOCATE_SCHEMA,
    Accuracies,
    DataInfo,
    Depth,
    GradientAccount,
    LayerEvidence,
    LayerGradient,
    LayerProbe,
    LayerUnits,
    LocateReport,
    ModelInfo,
    Probes,
    Rewinding,
    SampleUnits,
    Segment,
    Suspected,
    Tool,
    Units,
    UnitsGroup,
)

SITES = ("/relu1/Relu_output_0", "/relu2/Relu_output_0", "/relu3/Relu_output_0")
CHECKPOINT = ModelInfo("models/net-early.onnx", "ef" * 32, 8, 17, "pytorch 2")


def whole() -> LocateReport:
    """Return a report in which every part tells something."""
    return LocateReport(
        schema=LOCATE_SCHEMA,
        tool=Tool("onnxmem", "0.0"),
        model=ModelInfo("models/net.onnx", "ab" * 32, 8, 17, "pytorch 2"),
        data=DataInfo("data.npz", "cd" * 32, 1000, 10, 1000),
        settings={"seed": 0, "most": 2000},
        environment={"device": "cpu"},
        suspected=Suspected("true labels", "", 100, 900),
        depth=_depth(SITES),
        probes=_probes(SITES),
        gradients=(_gradients("network", SITES, 0.01), _gradients("checkpoint", SITES, 2.0)),
        units=_units(SITES),
        rewinding=_rewinding(SITES),
        notes=("12 of 1,000 training samples are copies of others",),
        timings={"neighbours": 1.5},
    )


def _depth(names: tuple[str, ...]) -> Depth:
    shares = [(0.7, 0.04), (0.8, 0.2), (None, None), (0.99, 0.9)]
    layers = []
    for place, name in enumerate(("input", *names)):
        own, suspects = shares[place % 4]
        reason = "" if own is not None else "it holds no floats"
        layers.append(LayerEvidence(name, own, suspects, None, reason))
    return Depth(tuple(layers))


def _probes(names: tuple[str, ...]) -> Probes:
    layers = [LayerProbe(name, 0.9, 0.1 * place % 1, 0.1) for place, name in enumerate(names)]
    return Probes((LayerProbe("input", reason="the inputs hold no numbers"), *layers))


def _gradients(model: str, names: tuple[str, ...], loss: float) -> GradientAccount:
    layers = tuple(
        LayerGradient(start, end, (f"w{at}",), 0.5, 0.5 * (at + 1), at + 1.0, 0.5 - 0.4 * at)
        for at, (start, end) in enumerate(zip(("input", *names), (*names, "logits"), strict=True))
    )
    without = msgspec.structs.replace(
        layers[0], clean_norm=None, suspect_norm=None, ratio=None, cosine=None, reason="no rule"
    )
    return GradientAccount(model, (without, *layers[1:]), loss / 2, loss)


def _rewinding(names: tuple[str, ...]) -> Rewinding:
    suspects = (0.9, 0.3, 0.7, 1.0)
    ends = (*names, "logits")
    segments = [
        Segment(start, end, (start,), 0.99, suspects[at % 4], 0.0)
        for at, (start, end) in enumerate(zip(("input", *names), ends, strict=True))
    ]
    segments[-1] = Segment(names[-1], "logits", (names[-1],), None, None, 0.3, "its parts differ")
    return Rewinding(
        checkpoint=CHECKPOINT,
        clean_samples=900,
        suspect_samples=100,
        network=Accuracies(1.0, 0.98),
        rewound=Accuracies(0.9, 0.1),
        segments=tuple(segments),
        lowest=ends[1],
        notes=("outputs of the network are logits, those of the checkpoint probabilities",),
    )


def _units(names: tuple[str, ...]) -> Units:
    samples = tuple(
        SampleUnits(str(row), row, row < 2, 3.5 + row, row or None, None, 0.1, 0.0)
        for row in range(4)
    )
    return Units(
        most=64,
        clean=UnitsGroup(2, 1.0, 6.0, 2.5, None, 0.2, 0.01),
        suspect=UnitsGroup(2, 0.5, 4.0, None, None, 0.1, 0.0),
        units_auroc=0.7,
        margin_auroc=0.9,
        layers=tuple(LayerUnits(name, 16, 0.25, None) for name in names),
        samples=samples,
    )


def without_checkpoint() -> LocateReport:
    """Return a report of a network alone, in which gradients and units have a reason."""
    base = whole()
    none = UnitsGroup(0, None, None, None, None, None, None)
    assert base.units is not None
    return replace(
        base,
        rewinding=None,
        suspected=Suspected("samples", "", 40, 960),
        gradients=(GradientAccount("network", (), reason="no gradient passes Round 'r'"),),
        units=replace(
            base.units, clean=none, suspect=none, units_auroc=None, margin_auroc=None, layers=(),
            samples=(), reason="no gradient passes Round 'r'",
        ),
    )  # fmt: skip


def nothing() -> LocateReport:
    """Return a report in which nothing could be told."""
    reason = "the model is at chance on the training samples"
    return replace(
        whole(),
        suspected=None,
        depth=Depth((), reason),
        probes=Probes((), reason),
        gradients=(),
        units=None,
        rewinding=None,
        reason=reason,
        notes=(),
    )


def hostile() -> LocateReport:
    """Return a report all of whose names try to break out of their format."""
    names = tuple(dict.fromkeys(HOSTILE_NAMES))
    base = whole()
    assert base.rewinding is not None and base.units is not None
    return replace(
        base,
        model=replace(base.model, path=names[0]),
        depth=_depth(names),
        probes=_probes(names),
        gradients=(_gradients("network", names, 1.0),),
        rewinding=replace(_rewinding(names), notes=names),
        units=_units(names),
        notes=names,
        settings={name: name for name in names},
    )


ALL = {
    "whole": whole,
    "without_checkpoint": without_checkpoint,
    "nothing": nothing,
    "hostile": hostile,
}
