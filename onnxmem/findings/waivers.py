"""What was waived, and what became of it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import Comparison, Report, Waiver

_STATES = {
    "applied": "in force: the gate failed and does not count",
    "insufficient": "without effect: the gate fails without it, too",
    "unneeded": "not needed: the gate did not fail",
    "expired": "expired, without effect",
    "unmatched": "without effect: there is no such gate, layer or memorized sample",
    None: "not judged",
}


def waivers_told(report: Report) -> list[str]:
    """Return a sentence for each waiver: for what, what became of it, and its reason."""
    return [_told(one) for one in report.waivers]


def all_waivers_told(comparison: Comparison) -> list[str]:
    """Return the same of all models, each with its name."""
    return [
        f"{name}: {told}"
        for name, report in zip(comparison.models, comparison.reports, strict=True)
        for told in waivers_told(report)
    ]


def waived_because(report: Report, key: str) -> str:
    """Return the reasons why a failed gate is forgiven, an empty text where it is not."""
    applied = [one for one in report.waivers if one.gate == key and one.state == "applied"]
    return "; ".join(printable(one.reason, 300) for one in applied)


def _told(one: Waiver) -> str:
    of = f", layer {printable(one.layer)}" if one.layer else ""
    of += f", sample {printable(one.sample)}" if one.sample else ""
    until = f" until {printable(one.expires, 20)}" if one.expires else ""
    state = _STATES[one.state]
    return f"Waiver for {printable(one.gate)}{of}{until}: {state} ({printable(one.reason, 300)})"
