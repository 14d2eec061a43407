"""From the curves of all layers to scores, and with the gates to a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from onnxmem.auditing.gates import decide_gates
from onnxmem.auditing.settings import Settings
from onnxmem.compression import curve
from onnxmem.compression.layer import Measured
from onnxmem.network.guessing import at_chance
from onnxmem.records import Baseline, Curve, Gate, Layer, Score, Verdict


def summarize(
    measured: Sequence[Measured],
    settings: Settings,
    untouched: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Score]:
    """Return for every key the mean AuC over the layers whose curve can be read.

    The interval comes from resampling all layers with the same samples, since they share them, and
    is widened by what the ranks that were left out could change.

    Args:
        measured: all layers.
        settings: of the audit.
        untouched: the accuracy of the untouched model in each resample (draws,), by kind of batch;
            for scores relative to it.
    """
    keys = [(name, kind) for name in settings.compress for kind in settings.batch]
    known = untouched or {}
    return {
        f"{name}.{kind}": _score(f"{name}.{kind}", measured, known.get(kind)) for name, kind in keys
    }


def _score(key: str, measured: Sequence[Measured], untouched: np.ndarray | None) -> Score:
    found = [
        (one, item.resampled[key])
        for item in measured
        for one in item.layer.curves
        if one.key == key
    ]
    scored = [(one, resampled) for one, resampled in found if one.scored]
    saturated = sum(one.saturated for one, _ in found)
    above = sum(one.above for one, _ in found)
    if not scored:
        return Score(None, None, None, 0, saturated, above)
    auc = float(np.mean([one.auc for one, _ in scored]))
    bound = float(np.mean([one.auc_bound for one, _ in scored]))
    drawn = np.mean([resampled for _, resampled in scored], axis=0)
    low, high = curve.interval(drawn)
    low, high = max(min(low, auc) - bound, 0.0), min(max(high, auc) + bound, 1.0)
    score = Score(auc, low, high, len(scored), saturated, above)
    return score if untouched is None else _relative(score, scored[0][0], drawn, untouched, bound)


def _relative(
    score: Score, one: Curve, drawn: np.ndarray, untouched: np.ndarray, bound: float
) -> Score:
    """Return a score with its mean over the accuracy of the untouched model, and the interval.

    Both are resampled with the same samples, so that what they share is no noise.
    """
    if score.auc is None or not one.auc_relative or not untouched.min():
        return score
    accuracy = one.auc / one.auc_relative
    value = score.auc / accuracy
    low, high = curve.interval(drawn / untouched)
    slack = bound / accuracy
    return replace(
        score,
        auc_relative=value,
        auc_relative_low=max(min(low, value) - slack, 0.0),
        auc_relative_high=max(high, value) + slack,
    )


def decide(
    doubt: str,
    measured: Sequence[Measured],
    summary: Mapping[str, Score],
    gates: Sequence[Gate],
    scarce: str = "",
) -> tuple[Verdict, str]:
    """Return the verdict and its reason in one line.

    `doubt` is what the baseline leaves open, `scarce` why the data carry no gate. A failed gate was
    measured and comes before layers that failed, and these before passed gates.
    """
    layers = [item.layer for item in measured]
    failures = [(item.layer.tensor, item.layer.reason) for item in measured if item.failed]
    doubt = doubt or _doubt_layers(layers, summary)
    if doubt:
        return "inconclusive", doubt
    if found := decide_gates(gates, scarce):
        return found
    if failures:
        tensor, cause = failures[0]
        many = "1 layer" if len(failures) == 1 else f"{len(failures)} layers"
        return "inconclusive", f"{many} failed, the first at {tensor!r}: {cause}"
    return ("pass", "all gates passed") if gates else ("none", "no gate was set")


def doubt_baseline(
    baseline: Baseline, samples: int, settings: Settings, hints: Sequence[str] = ()
) -> str:
    """Return why the accuracy of the untouched model allows no conclusion, or an empty string.

    `hints` are what may explain an accuracy at chance: what was assumed of the data.
    """
    value, chance = baseline.value, baseline.chance
    if value is None or chance is None:
        return "the untouched model was not measured"
    if baseline.metric == "top1" and chance == 1:
        return "all samples have one label, so guessing is always right; give at least two classes"
    if chance == 1:
        return (
            "the model predicts one class for all samples, so nothing can be told apart; check "
            "the preprocessing"
        )
    if baseline.metric == "top1" and at_chance(value, chance, samples):
        return (
            f"the model is at chance on these data: accuracy {value:.3f}, guessing gives "
            f"{chance:.3f}; "
            + "; ".join(("check the preprocessing and the labels", *filter(None, hints)))
        )
    if settings.min_accuracy is not None and value < settings.min_accuracy:
        return (
            f"accuracy {value} is below --min-accuracy {settings.min_accuracy}; "
            "an underfit model tells nothing"
        )
    return ""


def caution_baseline(baseline: Baseline, suspicion: str) -> str:
    """Return how to read scores where the untouched model is hardly right, or an empty string.

    That is where its accuracy is nearer to guessing than to 1. `suspicion` is which other labels it
    agrees with better, if any.
    """
    value, chance = baseline.value, baseline.chance
    if value is None or chance is None or 2 * value >= 1 + chance:
        return ""
    caution = (
        f"the untouched model is right about {value:.3f} of these samples, which bounds every AuC "
        "that can be read: low scores tell of that before anything else, unless it was trained on "
        "these very samples and labels"
    )
    return "; ".join(filter(None, (caution, suspicion)))


def _doubt_layers(layers: Sequence[Layer], summary: Mapping[str, Score]) -> str:
    """Return why the curves allow no conclusion, or an empty string."""
    if all(layer.status == "skipped" for layer in layers):
        return f"no layer could be measured: {layers[0].reason}"
    if any(score.auc is not None for score in summary.values()):
        return ""
    if any(score.layers_above for score in summary.values()):
        return (
            "no curve can be read: compression makes right what the untouched network gets wrong "
            "(its labels are suspect, or were not fitted), or hardly costs accuracy"
        )
    return "every curve is saturated: compression hardly costs accuracy, so nothing can be read"
