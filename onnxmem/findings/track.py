"""What a course of training tells, in sentences: the checkpoint to keep first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.findings.finding import Finding
from onnxmem.findings.numbers import counted, percent, percents, signed
from onnxmem.text import file_name, printable

if TYPE_CHECKING:
    from onnxmem.records import Checkpoint, Choice, Estimate, TrackReport

_HALF = 0.5


def checkpoint_names(report: TrackReport) -> tuple[str, ...]:
    """Return what each checkpoint is called: its file, or where files have one name, its path."""
    names = [file_name(one.path) for one in report.checkpoints]
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(printable(one.path, 100) for one in report.checkpoints)


def track_findings(report: TrackReport) -> list[Finding]:
    """Return all findings; the first names the checkpoint to keep, or says why there is none."""
    return list(_findings(report))


def _findings(report: TrackReport) -> Iterator[Finding]:
    names = dict(
        zip((one.path for one in report.checkpoints), checkpoint_names(report), strict=True)
    )
    if report.choice is None:
        yield Finding("choice", printable(report.reason, 300))
    else:
        yield _choice(report.choice, names, report.held_out_samples)
        yield from _runner_up(report.choice, names)
        yield from _costs(report, report.choice, names)
    yield from _fitting(report, list(names.values()))
    yield _memorized(report, list(names.values()))


def _choice(choice: Choice, names: dict[str, str], inputs: int) -> Finding:
    found = choice.agreement
    return Finding(
        key="choice",
        sentence=(
            f"keep {names[choice.path]}: its answers agree with the nearest training samples of "
            f"{_share(found)} of {counted(inputs, 'held-out input')}, the most of all checkpoints"
        ),
        value=found.value,
        low=found.low,
        high=found.high,
        caution="labels of held-out samples take no part in the choice",
    )


def _runner_up(choice: Choice, names: dict[str, str]) -> Iterator[Finding]:
    if choice.runner_up is None or choice.lead is None:
        return
    lead = choice.lead
    doubt = "no more than the choice of inputs may explain"
    weight = "more than the choice of inputs explains" if lead.low > 0 else doubt
    yield Finding(
        key="runner_up",
        sentence=(
            f"the runner-up {names[choice.runner_up]} is behind by {_points(lead)}, {weight}; "
            f"{percent(choice.repeated)} of resamples of the inputs choose the same checkpoint"
        ),
        value=lead.value,
        low=lead.low,
        high=lead.high,
    )


def _costs(report: TrackReport, choice: Choice, names: dict[str, str]) -> Iterator[Finding]:
    if choice.regret is None or choice.last_regret is None:
        return
    best = max(report.checkpoints, key=lambda one: one.held_out_accuracy or 0.0)
    own = next(one for one in report.checkpoints if one.path == choice.path)
    yield Finding(
        key="regret",
        sentence=(
            f"on the held-out labels it is right for {percent(own.held_out_accuracy or 0.0)}, "
            f"{100 * choice.regret:.1f} points below the best, {names[best.path]}; the last "
            f"checkpoint {100 * choice.last_regret:.1f}"
        ),
        value=choice.regret,
    )
    if choice.runner_up_cost is not None and choice.runner_up is not None:
        cost = choice.runner_up_cost
        kind = "lower" if cost.value >= 0 else "higher"
        yield Finding(
            key="runner_up_cost",
            sentence=(
                f"the held-out accuracy of the runner-up is {100 * abs(cost.value):.1f} points "
                f"{kind} ({_bounds(cost)})"
            ),
            value=cost.value,
            low=cost.low,
            high=cost.high,
        )


def _fitting(report: TrackReport, names: list[str]) -> Iterator[Finding]:
    others = _first([one.others_fitted for one in report.checkpoints])
    suspects = _first([one.suspects_fitted for one in report.checkpoints])
    number = sum(one.suspect for one in report.samples)
    if others is None or not number:
        return
    end = "never are" if suspects is None else f"are from {names[suspects]} on"
    later = suspects is None or suspects > others
    order = "; what is simple comes first" if later else ""
    yield Finding(
        key="fitting",
        sentence=(
            f"half of the other samples are fitted from {names[others]} on, half of the "
            f"{counted(number, 'suspect')} {end}{order}"
        ),
        caution=(
            "a suspect is a sample whose neighbours have another label, which may be right"
            if report.suspects_from == "margin"
            else "suspects are those that were given"
        ),
    )


def _first(shares: list[float | None]) -> int | None:
    """Return the first checkpoint that fits half, None where none does."""
    return next((k for k, one in enumerate(shares) if one is not None and one >= _HALF), None)


def _memorized(report: TrackReport, names: list[str]) -> Finding:
    last = report.checkpoints[-1].memorized_share
    least = min(report.checkpoints, key=_memorized_share)
    return Finding(
        key="memorized_share",
        sentence=(
            f"the last checkpoint, {names[-1]}, memorized {_share(last)} of the training samples; "
            f"the least is {percent(least.memorized_share.value)}"
        ),
        value=last.value,
        low=last.low,
        high=last.high,
    )


def _memorized_share(one: Checkpoint) -> float:
    return one.memorized_share.value


def _share(one: Estimate) -> str:
    return f"{percent(one.value)} ({percents(one.low, one.high)})"


def _points(one: Estimate) -> str:
    return f"{100 * one.value:.1f} points ({_bounds(one)})"


def _bounds(one: Estimate) -> str:
    return f"95 % interval {signed(100 * one.low, 1)} to {signed(100 * one.high, 1)}"
