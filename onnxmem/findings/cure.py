"""What to do about an audit from which nothing can be concluded, read from its record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxmem.records import Report

INSPECT = "onnxmem inspect MODEL --verify"
"""What tells more of a model than an audit that could not measure it."""

_DATA = "check that labels and preprocessing are those of the training (--labels, --preprocess)"
_SATURATED = "give more classes, or harder samples (--batch mixed saturates last)"
_SCARCE = "give at least ten different samples of every class (docs/gates.md: what a gate needs)"


def cure(report: Report) -> str:
    """Return what to do next about an inconclusive audit that was measured, as a request."""
    return _of_layers(report) or _of_baseline(report) or _of_curves(report) or _of_gates(report)


def _of_layers(report: Report) -> str:
    skipped = all(layer.status == "skipped" for layer in report.layers)
    return f"run {INSPECT}, which tells what stands in the way of each layer" if skipped else ""


def _of_baseline(report: Report) -> str:
    value, chance = report.baseline.value or 0.0, report.baseline.chance or 0.0
    least = report.settings.get("min_accuracy")
    if chance == 1:
        return "give samples of at least two classes, prepared as for the training"
    if report.baseline.metric == "top1" and value - chance < 0.1:
        return _DATA
    if isinstance(least, float | int) and value < least:
        return "train the network further, or give the very samples and labels it was trained on"
    return ""


def _of_curves(report: Report) -> str:
    curves = [curve for layer in report.layers for curve in layer.curves]
    if any(curve.scored for curve in curves):
        return ""
    if any(curve.above for curve in curves):
        return "look at the labels of the classes whose curves lie above the baseline"
    return _SATURATED


def _of_gates(report: Report) -> str:
    undecided = [gate for gate in report.gates if gate.passed is None]
    if any(gate.value is not None for gate in undecided):
        return _SCARCE
    if undecided:
        return f"measure what the gate {undecided[0].key} is about, or leave that gate out"
    return "run the audit again with -v, which shows in full why a layer failed"
