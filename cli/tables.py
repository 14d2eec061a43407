"""Tables of the commands that make no report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxmem.findings import (
    LAYER_TITLES,
    PAIR_TITLES,
    layer_rows,
    likeness_findings,
    likeness_rows,
    two_numbers,
)
from onnxmem.findings.numbers import counted
from onnxmem.report.findings import APART, cell_text, findings, limits, row_name, starred
from onnxmem.report.words import shape
from onnxmem.sizes import size_text
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.doctor import Diagnosis
    from onnxmem.inspecting import Inspected, Inspection
    from onnxmem.records import Cell, Comparison


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
    """Return a row for each site, then the reasons of those that cannot be cut."""
    table = Table(box=SIMPLE, header_style="bold")
    titles = ("site", "op", "shape", "batch axis", "feature axis", "crossing", "status", "error")
    for title in titles:
        table.add_column(title, overflow="fold")
    for site in inspection.sites:
        table.add_row(
            Text(printable(site.tensor, 120)),
            Text(_op(site)),
            Text(shape(site.shape)),
            Text("–" if site.batch_axis is None else str(site.batch_axis)),
            Text(_axis(site)),
            Text(_crossing(site)),
            Text(site.status, "green" if site.status == "ok" else "yellow"),
            Text("–" if site.relative_error is None else f"{site.relative_error:.0e}"),
        )
    reasons = [
        Text(f"{printable(site.tensor, 48)}: {printable(site.reason, 300)}", "yellow")
        for site in inspection.sites
        if site.reason
    ]
    notes = [Text(f"Note: {printable(note, 300)}") for note in inspection.notes]
    return Group(table, *reasons, *notes, *_others(inspection))


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


def comparison_table(comparison: Comparison) -> RenderableType:
    """Return a row for each layer and curve, a column for each model, then what follows."""
    table = Table(box=SIMPLE, header_style="bold", pad_edge=False)
    table.add_column("layer", overflow="fold")
    table.add_column("curve", no_wrap=True)
    for name in comparison.models:
        table.add_column(Text(printable(name, 24)), justify="right")
    for place, row in enumerate(comparison.layers, start=1):
        _add_scores(table, f"{place} {row_name(row, 40)}", row.scores)
    _add_scores(table, "mean without saturated", comparison.summary, "bold")
    both = [_evidence_table(comparison)] if two_numbers(comparison) else []
    star = [Text(f"* {APART}")] if starred(comparison) else []
    said = [*likeness_findings(comparison), *findings(comparison)]
    lines = [Text(f"- {one}") for one in said]
    cautions = [Text(f"- {one}", "yellow") for one in limits(comparison)]
    return Group(*both, table, *_likeness(comparison), *star, *lines, *cautions)


def _likeness(comparison: Comparison) -> list[RenderableType]:
    """Return how alike the models are on held-out inputs: pairs, then layers."""
    if not comparison.predictions:
        return []
    title = f"on {counted(comparison.held_out_samples, 'held-out input')}"
    return [
        Text(f"How alike the models are {title}:", "bold"),
        _plain(PAIR_TITLES, likeness_rows(comparison)),
        _plain(LAYER_TITLES, layer_rows(comparison)),
    ]


def _plain(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=SIMPLE, header_style="bold", pad_edge=False)
    for place, title in enumerate(titles):
        table.add_column(title, overflow="fold", justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(Text(printable(cell, 80)) for cell in row))
    return table


def _evidence_table(comparison: Comparison) -> RenderableType:
    """Return what can be compared whatever the architectures are."""
    table = Table(box=SIMPLE, header_style="bold", pad_edge=False)
    for title in ("model", "memorized", "label noise"):
        table.add_column(title, overflow="fold")
    for row in two_numbers(comparison):
        table.add_row(*(Text(printable(cell, 40)) for cell in row))
    return table


def _add_scores(
    table: Table, title: str, scores: Mapping[str, Sequence[Cell | None]], style: str = ""
) -> None:
    for place, (key, cells) in enumerate(scores.items()):
        name = "" if place else title
        texts = (Text(cell_text(cell), style) for cell in cells)
        table.add_row(Text(name, style), Text(key), *texts)
    table.add_section()
