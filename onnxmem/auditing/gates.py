"""Scores and values of the evidence against their thresholds, and what follows from all gates.

A gate compares the bound of an interval that speaks for the network, so that noise alone does not
flip it, and is undecided where there is no value, or where the data cannot carry one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from onnxmem.auditing.drops import judge_drops
from onnxmem.auditing.enough import doubt_report
from onnxmem.auditing.settings import check_drop, check_thresholds, gate_keys
from onnxmem.errors import DataError
from onnxmem.records import Estimate, Evidence, Gate, Metric, Report, Verdict
from onnxmem.records.comparability import check_comparable
from onnxmem.text import beside


def judge_gates(
    values: Mapping[str, Estimate | None], fail_under: Mapping[str, float]
) -> tuple[Gate, ...]:
    """Compare the upper bound of each value with its threshold.

    A gate fails where the whole interval lies below the threshold; it passes otherwise, and is
    undecided where there is no value.
    """
    gates = []
    for key, threshold in fail_under.items():
        value = values[key]
        if value is None:
            gates.append(Gate(key, threshold, None, None))
        else:
            gates.append(Gate(key, threshold, value.value, value.high >= threshold, value.high))
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


def undecided(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """Return gates that the data cannot carry: their values, and no decision."""
    return tuple(replace(gate, passed=None) for gate in gates)


def judge(
    report: Report,
    fail_under: Mapping[str, float],
    baseline: Report | None = None,
    max_drop: float | None = None,
) -> tuple[Gate, ...]:
    """Compare the scores with their thresholds, and with those of a baseline where there is one.

    Raises:
        UsageError: the baseline is one of another network.
    """
    gates = judge_gates({key: report.value(key) for key in fail_under}, fail_under)
    if baseline is not None and max_drop is not None:
        gates += judge_drops(report, baseline, max_drop)
    return undecided(gates) if report.measured and doubt(report, baseline) else gates


def doubt(report: Report, baseline: Report | None) -> str:
    """Return why the data of a report, or of its baseline, carry no gate, or an empty string."""
    if own := doubt_report(report):
        return own
    others = "" if baseline is None else doubt_report(baseline)
    return f"the baseline report is of too few data: {others}" if others else ""


def judge_again(
    report: Report,
    fail_under: Mapping[str, float],
    baseline: Report | None = None,
    max_drop: float | None = None,
    *,
    metric: Metric | None = None,
    classes: int | None = None,
    other_data: bool = False,
) -> Report:
    """Return a stored report with further gates, and the verdict that follows.

    What was inconclusive stays so, and so does what failed.

    Args:
        report: as it was stored.
        fail_under: smallest scores.
        baseline: a report that the scores are held against.
        max_drop: by how much they may be lower.
        metric: "fidelity" where gates on reports of fidelity are meant.
        classes: how many classes the thresholds were set for.
        other_data: let the baseline be one of other data.

    Raises:
        UsageError: a gate for a score that the report has not, a baseline that measured something
            else, or a threshold that no AuC can have.
        DataError: a gate on fidelity that was not asked for.
    """
    check_thresholds(fail_under, max_drop, gate_keys(report.summary), f"{report.model.path} has")
    check_drop(max_drop, baseline)
    found, asked = report.baseline.metric, metric or ("top1" if fail_under or baseline else None)
    if report.measured and asked not in (None, found):
        raise DataError(
            f"{report.model.path} was measured by {found}, not by {asked}; to set a gate on that "
            f"say --metric {found}"
        )
    if classes is not None:
        report = replace(report, settings=report.settings | {"classes": classes})
    if baseline is not None and report.measured:
        check_comparable(report.data, report.settings, baseline, other_data=other_data)
    wanted = judge(report, fail_under, baseline, max_drop)
    added = tuple(gate for gate in wanted if gate not in report.gates)
    if not added:
        return report
    gates = report.gates + added
    if report.verdict in ("inconclusive", "fail"):
        return replace(report, gates=gates)
    verdict, reason = decide_gates(gates, doubt(report, baseline)) or ("pass", "all gates passed")
    return replace(report, gates=gates, verdict=verdict, reason=reason)


def decide_gates(gates: Sequence[Gate], scarce: str = "") -> tuple[Verdict, str] | None:
    """Return the verdict and the reason of gates that did not pass, None where all did.

    `scarce` is why the data carry no gate, empty where they do.
    """
    failed = [gate for gate in gates if gate.passed is False]
    if failed:
        return "fail", "; ".join(map(_failure, failed))
    if scarce:
        return "inconclusive", scarce
    unknown = [gate.key for gate in gates if gate.passed is None]
    if unknown:
        return "inconclusive", f"there is no value for the gate {', '.join(unknown)}"
    return None


def _failure(gate: Gate) -> str:
    bound, threshold = beside(gate.bound, gate.threshold)
    value = "unknown" if gate.value is None else f"{gate.value:.3f}"
    if gate.key.endswith(":drop"):
        return f"{gate.key} is {value} (at least {bound}), above --max-drop {threshold}"
    if "." not in gate.key:
        return f"{gate.key} is {value} (at least {bound}), above {threshold}"
    return f"{gate.key} is {value} (at most {bound}), below {threshold}"
