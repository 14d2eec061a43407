"""Where a network memorizes, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.findings.finding import Finding
from onnxmem.findings.numbers import counted, percent
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import (
        Depth,
        GradientAccount,
        LocateReport,
        Probes,
        Rewinding,
        Segment,
        Units,
    )

CLEAR_DROP = 0.1
"""Drops of accuracy that differ by less are not told apart."""

FITTED_LOSS = 0.1
"""A cross entropy below which hardly a gradient is left to account for."""

WHO = {
    "file": "given suspects",
    "true labels": "samples with a wrong label",
    "samples": "samples that are flagged as memorized",
}
"""What suspects are, by who told them."""


def locate_findings(report: LocateReport) -> list[Finding]:
    """Return all findings, what says most first; none where nothing is told."""
    return [] if report.reason else list(_findings(report))


def _findings(report: LocateReport) -> Iterator[Finding]:
    if report.rewinding is not None:
        yield rewinding_finding(report.rewinding)
    yield depth_finding(report.depth)
    if report.probes.layers:
        yield probes_finding(report.probes)
    if report.gradients:
        yield gradients_finding(report.gradients[-1])
    if report.units is not None:
        yield units_finding(report.units)


def suspects_sentence(report: LocateReport) -> str:
    """Return who the suspects are, without a full stop."""
    suspected = report.suspected
    if suspected is None:
        return "nobody tells which samples are suspects"
    others = counted(suspected.others, "other sample")
    return f"suspects are {suspected.suspects:,} {WHO[suspected.source]}, held against {others}"


def rewinding_finding(rewinding: Rewinding) -> Finding:
    """Return what putting segments of the checkpoint in the place of its own does."""
    found = lowest(rewinding)
    before, clean = rewinding.network.suspect, rewinding.network.clean
    if found is None or found.suspect_accuracy is None or before is None:
        why = rewinding.reason or "no segment of the checkpoint lowers the accuracy on suspects"
        return Finding("rewinding", f"rewinding does not tell where: {printable(why, 300)}")
    drop = before - found.suspect_accuracy
    sentence = (
        f"the segment up to {_quoted(found.to)}, taken from the checkpoint, brings the accuracy on "
        f"suspects from {percent(before)} to {percent(found.suspect_accuracy)}"
    )
    if clean is not None and found.clean_accuracy is not None:
        sentence += f", that on others from {percent(clean)} to {percent(found.clean_accuracy)}"
    if drop <= CLEAR_DROP:
        return Finding("rewinding", sentence, drop, caution="too little to locate anything")
    if rival := _rival(rewinding, found):
        sentence += f"; that up to {_quoted(rival.to)} does nearly as much"
    caution = "it tells what was learned since the checkpoint, not all that is memorized"
    return Finding("rewinding", sentence, drop, caution=caution)


def lowest(rewinding: Rewinding) -> Segment | None:
    """Return the segment that lowers the accuracy on suspects most, None where none does."""
    return next((one for one in rewinding.segments if one.to == rewinding.lowest), None)


def _rival(rewinding: Rewinding, found: Segment) -> Segment | None:
    """Return the next best segment where it can hardly be told from the best."""
    near = (found.suspect_accuracy or 0.0) + CLEAR_DROP
    others = {
        one.to: one.suspect_accuracy
        for one in rewinding.segments
        if one.to != found.to and one.suspect_accuracy is not None
    }
    best = min(others, key=others.__getitem__, default=None)
    if best is None or others[best] >= near:
        return None
    return next(one for one in rewinding.segments if one.to == best)


def depth_finding(depth: Depth) -> Finding:
    """Return from which layer on most suspects have neighbours of their label."""
    layers = {
        one.tensor: one.suspects_agreement
        for one in depth.layers
        if one.suspects_agreement is not None
    }
    if not layers:
        why = depth.reason or "no layer has neighbours"
        return Finding("depth", f"neighbours do not tell where: {printable(why, 300)}")
    last = list(layers.values())[-1]
    turned = next((tensor for tensor, share in layers.items() if share > 0.5), None)
    if turned is None:
        sentence = (
            "no layer brings most suspects among samples of their label; at the last one "
            f"neighbours agree with {percent(last)} of them"
        )
    else:
        sentence = (
            f"from {_quoted(turned)} on neighbours agree with the label of most suspects, at the "
            f"last layer with {percent(last)}"
        )
    return Finding("depth", sentence, last)


def probes_finding(probes: Probes) -> Finding:
    """Return from which layer on a linear probe reads the labels of most suspects."""
    read = {
        one.tensor: one.suspect_accuracy
        for one in probes.layers
        if one.suspect_accuracy is not None
    }
    if not read:
        return Finding("probes", "a linear probe reads nothing: no layer has features")
    drawn = [one.permuted_accuracy or 0.0 for one in probes.layers if one.tensor in read]
    turned = next((tensor for tensor, share in read.items() if share > 0.5), None)
    where = "at no layer" if turned is None else f"from {_quoted(turned)} on"
    sentence = (
        f"{where} a linear probe reads the labels of most suspects off a layer, at the last one "
        f"of {percent(list(read.values())[-1])}; of permuted labels at most {percent(max(drawn))}"
    )
    return Finding("probes", sentence, list(read.values())[-1])


def gradients_finding(account: GradientAccount) -> Finding:
    """Return how the gradients of suspects stand to those of others."""
    known = {one.to: one for one in account.layers if one.ratio is not None}
    if not known:
        why = account.reason or "they are zero everywhere"
        return Finding("gradients", f"gradients do not tell where: {printable(why, 300)}")
    ratios = {to: one.ratio or 0.0 for to, one in known.items()}
    top = max(ratios, key=ratios.__getitem__)
    against = sum(1 for one in known.values() if (one.cosine or 0.0) < 0)
    sentence = (
        f"at the {account.model} the mean gradient of suspects is {min(ratios.values()):.1f} to "
        f"{ratios[top]:.1f} times that of others, most in the segment up to {_quoted(top)}; it "
        f"points against theirs in {against} of {counted(len(known), 'segment')}"
    )
    caution = ""
    if account.suspect_loss is not None and account.suspect_loss < FITTED_LOSS:
        caution = "suspects are fitted, so little is left of it: an early checkpoint says more"
    return Finding("gradients", sentence, ratios[top], caution=caution)


def units_finding(units: Units) -> Finding:
    """Return how many units it takes to flip suspects, beside margins and drawn units."""
    if not units.samples or units.units_auroc is None or units.margin_auroc is None:
        return Finding("units", f"units do not tell anything: {printable(units.reason, 300)}")
    groups = (units.suspect, units.clean)
    few, others = (_count(group.units, units.most) for group in groups)
    drawn, drawn_others = (_count(group.random_units, units.most) for group in groups)
    better = "better than" if units.margin_auroc >= units.units_auroc else "less well than"
    sentence = (
        f"half of the suspects lose their label with {few} chosen units off, half of the others "
        f"with {others} (drawn units: {drawn} and {drawn_others}); margins tell suspects {better} "
        f"such counts (AUROC {units.margin_auroc:.2f} and {units.units_auroc:.2f})"
    )
    caution = "no unit is claimed to memorize"
    if units.suspect.harm is not None:
        caution += f": the same units change {percent(units.suspect.harm)} of other answers"
    return Finding("units", sentence, units.units_auroc, caution=caution)


def _count(median: float | None, most: int) -> str:
    return f"more than {most}" if median is None else f"{median:g}"


def _quoted(tensor: str) -> str:
    return repr(printable(tensor, 60))
