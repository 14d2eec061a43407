"""Reports of every kind, with made-up numbers that keep the laws of real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from onnxmem.records import (
    SCHEMA,
    Baseline,
    Curve,
    CutInfo,
    DataInfo,
    Gate,
    Group,
    Layer,
    ModelInfo,
    Report,
    Score,
    Tool,
    Verdict,
    Waiver,
)

RANKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
FRACTIONS = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
HOSTILE_NAMES = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[red]markup[/red] [link=file:///]x[/link]",
    "a|b`c`\n# heading\r\n<b>",
    "rtl \u202eevil\u202c \u2066x",
    "\x1b[31mred\x1b[0m\x07\x00\x9b",
    "x" * 10_000,
    "{0} [text](http://example.org) {{}}",
    "\ud800 lone, \ufffe, \U0010ffff",
    "Z" + "\u0301" * 500,
    "]]> & \" ' <!-- --",
    "",
    "層/ReLU_输出",
    "datum.x || 1",
)


def curve(
    compressor: Any, batch: Any, level: float, classes: int, rng: np.random.Generator
) -> Curve:
    """Return a rising curve; at level 1 it is saturated."""
    x = FRACTIONS if compressor == "ablation" else RANKS
    saturated = level >= 1
    rise = np.linspace(0, 1, len(x)) ** (4 * (1 - min(level, 0.95)))
    groups = []
    for label in range(classes if batch == "class" else 3):
        bump = rng.normal(0, 0.04, len(x))
        values = np.ones(len(x)) if saturated else np.clip(0.1 + 0.9 * rise + bump, 0, 1)
        accuracy = tuple(round(float(value), 6) for value in values)
        groups.append(Group(label, 30, accuracy, float(np.mean(accuracy))))
    accuracy = tuple(float(value) for value in np.mean([g.accuracy for g in groups], axis=0))
    auc = float(np.mean(accuracy))
    return Curve(
        compressor=compressor,
        batch=batch,
        x_name="fraction" if compressor == "ablation" else "rank",
        x=x,
        accuracy=accuracy,
        error=tuple(
            float(value) for value in (1.2 - level) * (1 - np.linspace(0, 0.97, len(x)) ** 0.5)
        ),
        auc=auc,
        auc_low=max(0.0, auc - 0.03),
        auc_high=min(1.0, auc + 0.025),
        auc_relative=min(1.0, auc / 0.98),
        auc_bound=0.004,
        saturated=saturated,
        groups=tuple(groups),
    )


def layer(index: int, tensor: str, level: float, classes: int = 10, seed: int = 0) -> Layer:
    """Return a scored layer whose single-class curves saturate from level 0.8 on."""
    rng = np.random.default_rng((seed, index))
    curves = tuple(
        curve(
            compressor,
            batch,
            1.0 if batch == "class" and level > 0.8 else level + extra,
            classes,
            rng,
        )
        for compressor, extra in (("nmf", 0.0), ("pca", 0.05), ("ablation", -0.1))
        for batch in ("class", "mixed")
    )
    cut = CutInfo((tensor,), 1.2e-7)
    return Layer(tensor, "Relu", index, (None, 64, 8, 8), 1, "scored", "", cut, curves)


def skipped(index: int, tensor: str, reason: str = "the tail needs the model's input") -> Layer:
    """Return a layer that could not be measured."""
    return Layer(tensor, "Relu", index, None, None, "skipped", reason, None)


def saturated(index: int, tensor: str) -> Layer:
    """Return a layer all of whose curves are saturated."""
    full = layer(index, tensor, 1.0)
    curves = tuple(replace(curve, saturated=True) for curve in full.curves)
    reason = "accuracy is 1.00 at every rank"
    return replace(full, status="saturated", reason=reason, curves=curves)


def summary(layers: tuple[Layer, ...]) -> dict[str, Score]:
    """Return the mean AuC for every key that the layers have."""
    scores = {}
    for key in dict.fromkeys(curve.key for item in layers for curve in item.curves):
        curves = [c for item in layers for c in item.curves if c.key == key]
        live = [c for c in curves if not c.saturated]
        mean = float(np.mean([c.auc for c in live])) if live else None
        low = None if mean is None else mean - 0.02
        high = None if mean is None else mean + 0.02
        scores[key] = Score(mean, low, high, len(live), len(curves) - len(live))
    return scores


def report(
    layers: tuple[Layer, ...],
    verdict: Verdict = "none",
    reason: str = "no gate was set",
    gates: tuple[Gate, ...] = (),
    path: str = "models/cnn-clean.onnx",
) -> Report:
    """Return a report of those layers."""
    return Report(
        schema=SCHEMA,
        tool=Tool("onnxmem", "0.1.0"),
        model=ModelInfo(path, "3f2a" * 16, 10, 21, "pytorch 2.8"),
        data=DataInfo("models/cnn-data.npz", "77ab" * 16, 300, 10, 1000, (7,)),
        settings={
            "compress": ["nmf", "pca", "ablation"],
            "batch": ["class", "mixed"],
            "per_class": 30,
            "ranks": "auto",
            "seed": 0,
            "exact": False,
            "memory": None,
        },
        environment={
            "provider": "CPUExecutionProvider",
            "device": "cpu",
            "onnxruntime": "1.31.0",
            "onnx": "1.19.0",
            "numpy": "2.4.6",
            "python": "3.11.7",
        },
        baseline=Baseline("top1", 0.9933333333333333, 0.1),
        layers=layers,
        summary=summary(layers),
        gates=gates,
        verdict=verdict,
        reason=reason,
        timings={
            "load": 0.21,
            "cut": 0.9,
            "factorize": 12.4,
            "tail": 40.31,
            "score": 0.5,
        },
    )


def passing() -> Report:
    """Return a report whose gate passed."""
    layers = tuple(
        layer(i, f"/features/features.{i}/Relu_output_0", 0.45 + 0.06 * i) for i in range(8)
    )
    gate = Gate("nmf.mixed", 0.5, 0.61, True)
    return report(layers, "pass", "every gate passed", (gate,))


def failing() -> Report:
    """Return a report with one failed, one passed and one unmeasured gate."""
    layers = (
        *(layer(i, f"conv{i}", 0.1 + 0.02 * i, seed=1) for i in range(6)),
        saturated(6, "fc"),
    )
    gates = (
        Gate("nmf.mixed", 0.5, 0.31, False, 0.499961234567),
        Gate("accuracy", 0.9, 0.993, True),
        Gate("pca.class", 0.5, None, None),
    )
    reason = "nmf.mixed is 0.310 (at most 0.49996), below 0.50000"
    return report(layers, "fail", reason, gates, "models/cnn-noisy.onnx")


def waived() -> Report:
    """Return a report with a failed gate that is waived, and waivers that have no effect."""
    base = failing()
    waivers = (
        Waiver("nmf.mixed", "relu1 is wide", "conv0", "", "2999-12-31", "applied", 0.52),
        Waiver("memorized_share", "hard <samples>", "", "17", "2020-01-31", "expired"),
        Waiver("pca.mixed", "for later", state="unmatched"),
    )
    return replace(
        base,
        gates=base.gates[:2],
        verdict="pass",
        reason="all other gates passed; failed and waived: nmf.mixed",
        waivers=waivers,
    )


def inconclusive() -> Report:
    """Return a report in which everything is saturated."""
    layers = (saturated(0, "relu1"), saturated(1, "relu2"))
    return report(layers, "inconclusive", "every curve is saturated")


def partly_skipped() -> Report:
    """Return a report with scored, saturated and skipped layers."""
    layers = (layer(0, "relu1", 0.4), skipped(1, "relu2"), saturated(2, "relu3"))
    return report(layers)


def empty() -> Report:
    """Return a report without layers."""
    return report((), "inconclusive", "no ReLU was found")


def refused() -> Report:
    """Return the report of a network whose layers were found, and that cannot be audited."""
    reason = "net.onnx gives something else in every run; export it without its random operators"
    layers = (skipped(0, "relu1", reason), skipped(1, "relu2", reason))
    gates = (Gate("nmf.mixed", 0.5, None, None), Gate("pca.class:drop", 0.1, None, None))
    return _unmeasured(report(layers, "inconclusive", reason, gates, "net.onnx"))


def without_site() -> Report:
    """Return the report of a network without any layer to audit, of which nothing ran."""
    base = report((), "inconclusive", f"{HOSTILE_NAMES[0]} has no ReLU to analyze")
    data = replace(base.data, sha256="", samples_given=0)
    nowhere = {"provider": None, "device": None, "kernel": None}
    return _unmeasured(replace(base, data=data, environment=base.environment | nowhere))


def _unmeasured(base: Report) -> Report:
    keys = ("nmf.class", "nmf.mixed", "pca.class")
    return replace(
        base,
        data=replace(base.data, samples=0, classes=0, left_out=()),
        baseline=Baseline("top1", None, None),
        summary=dict.fromkeys(keys, Score(None, None, None, 0, 0)),
        timings={},
    )


def many(count: int = 50, classes: int = 10, name: str = "Relu_output_0") -> Report:
    """Return a report of many layers, whose tensors' paths end with `name`."""
    layers = tuple(
        skipped(i, f"/stage.{i // 8}/block.{i % 8}/{name}")
        if i % 17 == 11
        else layer(
            i,
            f"/stage.{i // 8}/block.{i % 8}/{name}",
            0.2 + 0.7 * i / count,
            classes,
        )
        for i in range(count)
    )
    return report(layers, path="resnet.onnx")


def hostile() -> Report:
    """Return a report all of whose names try to break out of their format."""
    layers = tuple(
        skipped(i, name, name) if i % 5 == 4 else layer(i, name, 0.3)
        for i, name in enumerate(HOSTILE_NAMES)
    )
    base = report(layers, "fail", HOSTILE_NAMES[0] + HOSTILE_NAMES[5], path=HOSTILE_NAMES[0])
    return replace(
        base,
        settings={name: name for name in HOSTILE_NAMES},
        environment={"nested": {HOSTILE_NAMES[0]: [HOSTILE_NAMES[3]]}},
        gates=tuple(Gate(name, 0.5, 0.1, False) for name in HOSTILE_NAMES),
        model=replace(base.model, producer=HOSTILE_NAMES[1], sha256=HOSTILE_NAMES[3]),
        data=replace(base.data, path=HOSTILE_NAMES[5]),
    )


ALL = {
    make.__name__: make
    for make in (
        passing,
        failing,
        waived,
        inconclusive,
        partly_skipped,
        empty,
        refused,
        without_site,
        many,
        hostile,
    )
}
