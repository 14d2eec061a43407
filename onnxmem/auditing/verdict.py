"""From the curves of all layers to scores, and with the gates to a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from onnxmem.auditing.gates import decide_gates
from onnxmem.auditing.settings import Settings
from onnxmem.compression import curve
from onnxmem.compression.layer import Measured
from onnxmem.network.guessing import at_chance
from onnxmem.records import Baseline, Gate, Layer, Score, Verdict


def summarize(measured: Sequence[Measured], settings: Settings) -> dict[str, Score]:
    """Return for every key the mean AuC over the layers whose curve is not saturated.

    The interval comes from resampling all layers with the same samples, since they share them, and
    is widened by what the ranks that were left out could change.
    """
    keys = [f"{name}.{kind}" for name in settings.compress for kind in settings.batch]
    return {key: _score(key, measured) for key in keys}


def _score(key: str, measured: Sequence[Measured]) -> Score:
    found = [
        (one, item.resampled[key])
        for item in measured
        for one in item.layer.curves
        if one.key == key
    ]
    scored = [(one, resampled) for one, resampled in found if not one.saturated]
    saturated = len(found) - len(scored)
    if not scored:
        return Score(None, None, None, 0, saturated)
    auc = float(np.mean([one.auc for one, _ in scored]))
    bound = float(np.mean([one.auc_bound for one, _ in scored]))
    low, high = curve.interval(np.mean([resampled for _, resampled in scored], axis=0))
    low, high = max(min(low, auc) - bound, 0.0), min(max(high, auc) + bound, 1.0)
    return Score(auc, low, high, len(scored), saturated)


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
        f"the untouched model is right about {value:.3f} of these samples, and no AuC can be "
        "higher: low scores tell of that before anything else, unless it was trained on these "
        "very samples and labels"
    )
    return "; ".join(filter(None, (caution, suspicion)))


def _doubt_layers(layers: Sequence[Layer], summary: Mapping[str, Score]) -> str:
    """Return why the curves allow no conclusion, or an empty string."""
    if all(layer.status == "skipped" for layer in layers):
        return f"no layer could be measured: {layers[0].reason}"
    if all(score.auc is None for score in summary.values()):
        return "every curve is saturated: compression hardly costs accuracy, so nothing can be read"
    return ""
