"""Waivers: which failed gates are forgiven, and what became of those that forgive nothing.

A waiver never makes a gate pass that could not be measured, and it never goes unsaid: the report
holds each of them with its state, and its reason names those that had an effect, or lost it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

from onnxmem.errors import UsageError
from onnxmem.records import RELATIVE, Gate, Report, SampleEvidence, Verdict, Waiver

_FLAGS = {"memorized_share": "memorized", "strong_share": "strong"}
"""What a sample is that counts in a share."""


def today() -> date:
    """Return the day in UTC."""
    return datetime.now(UTC).date()


def check_waivers(waivers: Sequence[Waiver]) -> None:
    """Check that waivers can be understood.

    Raises:
        UsageError: one has no gate or no reason, names both a layer and a sample or one that its
            gate does not go by, or ends on no day.
    """
    for waiver in waivers:
        if fault := _fault(waiver):
            raise UsageError(f"waiver for {waiver.gate or 'no gate'!r}: {fault}")


def _fault(waiver: Waiver) -> str:
    if not waiver.gate or not waiver.reason.strip():
        return "give a gate and a reason"
    if waiver.layer and waiver.sample:
        return "give a layer or a sample, not both"
    if waiver.layer and ("." not in waiver.gate or waiver.gate.endswith(":drop")):
        return "only means over layers, such as nmf.mixed, are judged without a layer"
    if waiver.sample and waiver.gate not in _FLAGS:
        return f"only {' and '.join(_FLAGS)} are judged without a sample"
    try:
        date.fromisoformat(waiver.expires or "2000-01-01")
    except ValueError:
        return f"expires = {waiver.expires!r} is no day; write it as YYYY-MM-DD"
    return ""


def judge_waivers(
    report: Report, gates: Sequence[Gate], waivers: Sequence[Waiver]
) -> tuple[tuple[Gate, ...], tuple[Waiver, ...]]:
    """Return the failed gates that are forgiven, and all waivers with what became of them.

    Args:
        report: its layers and its evidence; no gate of it is looked at.
        gates: judged without a look at waivers.
        waivers: those that were given.
    """
    day = today()
    told = tuple(_judged(one, report, gates, waivers, day) for one in waivers)
    keys = {one.gate for one in told if one.state == "applied"}
    return tuple(gate for gate in gates if gate.passed is False and gate.key in keys), told


def _judged(
    waiver: Waiver, report: Report, gates: Sequence[Gate], waivers: Sequence[Waiver], day: date
) -> Waiver:
    """Return a waiver with its state; those for the same gate are judged together."""
    if not _valid(waiver, day):
        return replace(waiver, state="expired")
    found = [gate for gate in gates if gate.key == waiver.gate]
    if not found or not _matches(waiver, report):
        return replace(waiver, state="unmatched")
    failed = [gate for gate in found if gate.passed is False]
    if not failed:
        return replace(waiver, state="unneeded")
    together = [
        one
        for one in waivers
        if one.gate == waiver.gate and _valid(one, day) and _matches(one, report)
    ]
    if not all(one.layer or one.sample for one in together):
        return replace(waiver, state="applied")
    bound = _without(report, failed[0], together)
    if bound is None or not all(_passes(gate, bound) for gate in failed):
        return replace(waiver, state="insufficient", without=bound)
    return replace(waiver, state="applied", without=bound)


def _valid(waiver: Waiver, day: date) -> bool:
    return not waiver.expires or day <= date.fromisoformat(waiver.expires)


def _matches(waiver: Waiver, report: Report) -> bool:
    """Tell whether there is such a layer or sample, where one is named."""
    if waiver.layer:
        return any(fnmatchcase(layer.tensor, waiver.layer) for layer in report.layers)
    if waiver.sample:
        return any(one.id == waiver.sample for one in _flagged(report, waiver.gate))
    return True


def _flagged(report: Report, key: str) -> list[SampleEvidence]:
    """Return the samples that count in a share, as far as the report names them."""
    samples = () if report.evidence is None else report.evidence.samples
    return [one for one in samples if getattr(one, _FLAGS[key])]


def _without(report: Report, gate: Gate, waivers: Sequence[Waiver]) -> float | None:
    """Return what a gate compares without the layers or the samples that are waived.

    None where no layer is left. The bound of a mean over layers is the mean of their bounds, which
    is that of layers that go up and down together.
    """
    if gate.key in _FLAGS:
        network = None if report.evidence is None else report.evidence.network
        ids = {one.sample for one in waivers}
        taken = sum(one.id in ids for one in _flagged(report, gate.key))
        if network is None or gate.bound is None:
            return None
        return max(gate.bound - taken / network.samples, 0.0)
    left = [
        layer
        for layer in report.layers
        if not any(fnmatchcase(layer.tensor, one.layer) for one in waivers)
    ]
    key = gate.key.removesuffix(RELATIVE)
    curves = [curve for layer in left if (curve := layer.curve(key)) and curve.scored]
    if not curves:
        return None
    import numpy as np

    mean = float(np.mean([one.auc_high for one in curves]))
    return mean / (report.baseline.value or 1.0) if key != gate.key else mean


def _passes(gate: Gate, bound: float) -> bool:
    return bound <= gate.threshold if gate.key in _FLAGS else bound >= gate.threshold


def forgive(
    verdict: Verdict, reason: str, forgiven: Sequence[Gate], told: Sequence[Waiver]
) -> tuple[Verdict, str]:
    """Return the verdict of the other gates with what waivers did, and did no more, in its reason.

    Args:
        verdict: of all gates but the forgiven ones.
        reason: of that verdict.
        forgiven: failed gates that are waived.
        told: all waivers, judged.
    """
    if forgiven and verdict in ("pass", "none"):
        reason = "all other gates passed" if verdict == "pass" else ""
        verdict = "pass"
    keys = ", ".join(dict.fromkeys(gate.key for gate in forgiven))
    said = [reason, f"failed and waived: {keys}" if keys else ""]
    said += [
        f"the waiver for {one.gate} expired on {one.expires}"
        for one in told
        if one.state == "expired"
    ]
    return verdict, "; ".join(filter(None, said))
