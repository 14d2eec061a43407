"""From the curves of all layers to scores, gates and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from onnxmem.auditing.settings import Settings, check_drop, check_thresholds
from onnxmem.compression import curve
from onnxmem.compression.layer import Measured
from onnxmem.network.guessing import at_chance
from onnxmem.records import Baseline, Estimate, Evidence, Gate, Layer, Report, Score, Verdict
from onnxmem.records.comparability import check_comparable


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


def judge(
    summary: Mapping[str, Score],
    fail_under: Mapping[str, float],
    baseline: Report | None,
    max_drop: float | None,
) -> tuple[Gate, ...]:
    """Compare the scores with their thresholds, and with those of a baseline where there is one."""
    gates = judge_gates(summary, fail_under)
    if baseline is None or max_drop is None:
        return gates
    return gates + judge_drops(summary, baseline, max_drop)


def judge_gates(summary: Mapping[str, Score], fail_under: Mapping[str, float]) -> tuple[Gate, ...]:
    """Compare the upper bound of each score's interval with its threshold.

    A gate fails where the whole interval lies below the threshold, so that noise alone does not
    flip it; it passes otherwise, and is undecided where there is no score.
    """
    gates = []
    for key, threshold in fail_under.items():
        high = summary[key].auc_high
        passed = None if high is None else high >= threshold
        gates.append(Gate(key, threshold, summary[key].auc, passed, high))
    return tuple(gates)


def judge_limits(evidence: Evidence | None, fail_over: Mapping[str, float]) -> tuple[Gate, ...]:
    """Compare the lower bound of each value of the evidence with its limit.

    A gate fails where the whole interval lies above the limit. Label noise that was not found
    passes; it is undecided where it cannot be told, as is every value that was not measured.
    """
    return tuple(_limit_gate(key, limit, evidence) for key, limit in fail_over.items())


def _limit_gate(key: str, limit: float, evidence: Evidence | None) -> Gate:
    network = None if evidence is None else evidence.network
    if network is None:
        return Gate(key, limit, None, None)
    if key == "label_noise":
        noise = network.label_noise
        if noise.found is None or noise.low is None:
            return Gate(key, limit, None, None)
        return Gate(key, limit, noise.estimate, not noise.found or noise.low <= limit, noise.low)
    share: Estimate | None = getattr(network, key)
    if share is None:
        return Gate(key, limit, None, None)
    return Gate(key, limit, share.value, share.low <= limit, share.low)


def judge_drops(
    summary: Mapping[str, Score], baseline: Report, max_drop: float
) -> tuple[Gate, ...]:
    """Compare each score with that of the baseline report.

    A gate `KEY:drop` fails where even the upper bound of the score's interval lies more than
    `max_drop` below the baseline's score. It is undecided where only one of both has a score.
    There is none where both are saturated, or where the baseline did not measure the score.
    """
    gates = []
    for key, score in summary.items():
        before = baseline.summary.get(key)
        if before is None or (before.auc is None and score.auc is None):
            continue
        if before.auc is None or score.auc is None or score.auc_high is None:
            gates.append(Gate(f"{key}:drop", max_drop, None, None))
            continue
        least = before.auc - score.auc_high
        passed = bool(least <= max_drop)
        gates.append(Gate(f"{key}:drop", max_drop, before.auc - score.auc, passed, least))
    return tuple(gates)


def judge_again(
    report: Report,
    fail_under: Mapping[str, float],
    baseline: Report | None = None,
    max_drop: float | None = None,
) -> Report:
    """Return a stored report with further gates, and the verdict that follows.

    What was inconclusive stays so, and so does what failed.

    Raises:
        UsageError: a gate for a score that the report has not, a baseline that measured something
            else, or a threshold that no AuC can have.
    """
    check_thresholds(fail_under, max_drop, tuple(report.summary), f"{report.model.path} has")
    check_drop(max_drop, baseline)
    if baseline is not None and report.measured:
        check_comparable(report.data, report.settings, baseline)
    wanted = judge(report.summary, fail_under, baseline, max_drop)
    added = tuple(gate for gate in wanted if gate not in report.gates)
    if not added:
        return report
    gates = report.gates + added
    if report.verdict in ("inconclusive", "fail"):
        return replace(report, gates=gates)
    verdict, reason = _decide_gates(gates, report.summary) or ("pass", "all gates passed")
    return replace(report, gates=gates, verdict=verdict, reason=reason)


def decide(
    doubt: str,
    measured: Sequence[Measured],
    summary: Mapping[str, Score],
    gates: Sequence[Gate],
) -> tuple[Verdict, str]:
    """Return the verdict and its reason in one line.

    `doubt` is what the baseline leaves open. A failed gate was measured and comes before layers
    that failed, and these before passed gates.
    """
    layers = [item.layer for item in measured]
    failures = [(item.layer.tensor, item.layer.reason) for item in measured if item.failed]
    doubt = doubt or _doubt_layers(layers, summary)
    if doubt:
        return "inconclusive", doubt
    if found := _decide_gates(gates, summary):
        return found
    if failures:
        tensor, cause = failures[0]
        many = "1 layer" if len(failures) == 1 else f"{len(failures)} layers"
        return "inconclusive", f"{many} failed, the first at {tensor!r}: {cause}"
    return ("pass", "all gates passed") if gates else ("none", "no gate was set")


def _decide_gates(
    gates: Sequence[Gate], summary: Mapping[str, Score]
) -> tuple[Verdict, str] | None:
    """Return the verdict and the reason of gates that did not pass, None where all did."""
    failed = [gate for gate in gates if gate.passed is False]
    if failed:
        return "fail", "; ".join(map(_failure, failed))
    unknown = [gate.key for gate in gates if gate.passed is None]
    if unknown:
        return "inconclusive", f"there is no value for the gate {', '.join(unknown)}"
    return None


def _failure(gate: Gate) -> str:
    if gate.key.endswith(":drop"):
        return (
            f"{gate.key} is {gate.value} (at least {gate.bound}), above --max-drop {gate.threshold}"
        )
    if "." not in gate.key:
        return f"{gate.key} is {gate.value} (at least {gate.bound}), above {gate.threshold}"
    return f"{gate.key} is {gate.value} (at most {gate.bound}), below {gate.threshold}"


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
