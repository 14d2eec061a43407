"""Where a network memorizes, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.findings.finding import Finding
from onnxmem.findings.numbers import counted, percent
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import LocateReport, Rewinding, Segment

CLEAR_DROP = 0.1
"""Drops of accuracy that differ by less are not told apart."""

WHO = {
    "file": "given suspects",
    "true labels": "samples with a wrong label",
    "samples": "samples that are flagged as memorized",
}
"""What suspects are, by who told them."""


def locate_findings(report: LocateReport) -> list[Finding]:
    """Return all findings, the layer that matters most first; none where nothing is told."""
    return [] if report.reason else list(_findings(report))


def _findings(report: LocateReport) -> Iterator[Finding]:
    if report.rewinding is not None:
        yield rewinding_finding(report.rewinding)
    yield depth_finding(report)


def rewinding_finding(rewinding: Rewinding) -> Finding:
    """Return what putting segments of the checkpoint in the place of its own does."""
    found = lowest(rewinding)
    if found is None:
        why = rewinding.reason or "no segment of the checkpoint lowers the accuracy on suspects"
        return Finding("rewinding", f"rewinding does not tell where: {printable(why, 300)}")
    suspect, clean = found.suspect_accuracy or 0.0, found.clean_accuracy
    before = rewinding.network.suspect or 0.0
    kept = "" if clean is None else f", and answers {percent(clean)} of all others"
    sentence = (
        f"with the segment up to {printable(found.to, 60)!r} of the checkpoint it gives "
        f"{percent(suspect)} of the suspects their label instead of {percent(before)}{kept}"
    )
    drop = before - suspect
    if rival := _rival(rewinding, found):
        sentence += f"; that up to {printable(rival.to, 60)!r} does nearly as much"
    caution = (
        "what was learned since the checkpoint, which is not all that the segment memorizes"
        if drop > CLEAR_DROP
        else "hardly anything, so nothing is located"
    )
    return Finding("rewinding", sentence, value=drop, caution=caution)


def lowest(rewinding: Rewinding) -> Segment | None:
    """Return the segment that lowers the accuracy on suspects most, None where none does."""
    return next((one for one in rewinding.segments if one.to == rewinding.lowest), None)


def _rival(rewinding: Rewinding, found: Segment) -> Segment | None:
    """Return the next best segment where it can hardly be told from the best."""
    others = [
        one for one in rewinding.segments if one.to != found.to and one.suspect_accuracy is not None
    ]
    best = min(others, key=lambda one: one.suspect_accuracy or 0.0, default=None)
    near = (found.suspect_accuracy or 0.0) + CLEAR_DROP
    return best if best is not None and (best.suspect_accuracy or 0.0) < near else None


def depth_finding(report: LocateReport) -> Finding:
    """Return from which layer on most suspects have neighbours of their label."""
    layers = [one for one in report.depth.layers if one.suspects_agreement is not None]
    if not layers:
        why = report.depth.reason or "there are no neighbours of suspects"
        return Finding("depth", f"neighbours do not tell where: {printable(why, 300)}")
    turned = next((one for one in layers if (one.suspects_agreement or 0.0) > 0.5), None)
    last = layers[-1]
    share = percent(last.suspects_agreement or 0.0)
    if turned is None:
        sentence = (
            f"no layer brings most suspects among samples of their label; at the last one "
            f"neighbours agree with {share} of them"
        )
    else:
        sentence = (
            f"from {printable(turned.tensor, 60)!r} on neighbours agree with the label of most "
            f"suspects, at the last layer with {share}"
        )
    return Finding("depth", sentence, value=last.suspects_agreement)


def suspects_sentence(report: LocateReport) -> str:
    """Return who the suspects are, without a subject and a full stop."""
    suspected = report.suspected
    if suspected is None:
        return "nobody tells which samples are suspects"
    others = counted(suspected.others, "other", "others")
    return f"suspects are {suspected.suspects:,} {WHO[suspected.source]}, held against {others}"
