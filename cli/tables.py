"""Tables of the commands that make no report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxmem.report.rows import numbered
from onnxmem.report.words import shape
from onnxmem.sizes import size_text
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.doctor import Diagnosis
    from onnxmem.inspecting import Inspected, Inspection


def cache_table(usage: Mapping[str, Any]) -> RenderableType:
    """Return where results are kept, how many there are, and how much room they take."""
    table = Table(box=SIMPLE, show_header=False)
    table.add_row("folder", Text(printable(usage["folder"] or "none", 300)))
    table.add_row("results", str(usage["entries"]))
    table.add_row("size", f"{size_text(usage['bytes'])} of {size_text(usage['limit'])}")
    return table


_STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}


def diagnosis_table(diagnosis: Diagnosis) -> RenderableType:
    """Return what the doctor found, and below it the lines that mend what is wrong."""
    table = Table(box=SIMPLE, header_style="bold")
    for title in ("check", "state", "what was found"):
        table.add_column(title, overflow="fold")
    for check in diagnosis.checks:
        style = _STYLES[check.state]
        table.add_row(Text(check.name), Text(check.state, style), Text(check.detail))
    mends = [Text(f"{check.name}: {check.mend}") for check in diagnosis.checks if check.mend]
    return Group(table, *mends, Text(f"Audits run on: {diagnosis.device or 'nothing'}"))


def inspection_table(inspection: Inspection) -> RenderableType:
    """Return a row for each site, the tensors that these are, and why some cannot be cut."""
    table = Table(box=SIMPLE, header_style="bold")
    titles = ("site", "op", "shape", "batch axis", "feature axis", "crossing", "status", "error")
    for title in titles:
        table.add_column(title, overflow="fold")
    names = numbered([site.tensor for site in inspection.sites])
    for name, site in zip(names, inspection.sites, strict=True):
        table.add_row(
            Text(name),
            Text(_op(site)),
            Text(shape(site.shape)),
            Text("–" if site.batch_axis is None else str(site.batch_axis)),
            Text(_axis(site)),
            Text(_crossing(site)),
            Text(site.status, "green" if site.status == "ok" else "yellow"),
            Text("–" if site.relative_error is None else f"{site.relative_error:.0e}"),
        )
    tensors = [
        Text(f"{place} {printable(site.tensor, 200)}", "dim")
        for place, site in enumerate(inspection.sites, start=1)
    ]
    reasons = [
        Text(f"{printable(site.tensor, 48)}: {printable(site.reason, 300)}", "yellow")
        for site in inspection.sites
        if site.reason
    ]
    notes = [Text(f"Note: {printable(note, 300)}") for note in inspection.notes]
    return Group(table, *tensors, *reasons, *notes, *_others(inspection))


def _others(inspection: Inspection) -> list[Text]:
    """Return which activations are no sites."""
    counts = [f"{count} {printable(op, 40)}" for op, count in inspection.other_activations.items()]
    return [Text(f"Other activations: {', '.join(counts)}")] if counts else []


def _op(site: Inspected) -> str:
    """Return what a site was found as, and which activation that is where the name does not say."""
    op = printable(site.op, 16)
    return op if site.kind in ("relu", site.op.lower()) else f"{op}, {site.kind}"


def _axis(site: Inspected) -> str:
    if site.feature_axis is None:
        return "undecided"
    return f"{site.feature_axis}, {printable(site.axis_from, 40)}"


def _crossing(site: Inspected) -> str:
    """Return how many tensors cross, and their size beside that of the site's own."""
    if not site.crossing or site.crossing_bytes is None or not site.tensor_bytes:
        return str(len(site.crossing))
    return f"{len(site.crossing)}, {site.crossing_bytes / site.tensor_bytes:.1f}× its size"
