"""A course of training as Markdown, for the summary of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.findings.track import checkpoint_names
from onnxmem.report.markdown import code, escaped
from onnxmem.report.samples.words import class_name
from onnxmem.report.track.words import (
    READ_SO,
    TITLES,
    cells,
    findings,
    fitted_from,
    most_suspect,
    sentence,
)

if TYPE_CHECKING:
    from onnxmem.records import TrackReport

SHOWN = 50
MOST_CHECKPOINTS = 300


def render(report: TrackReport) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: TrackReport) -> Iterator[str]:
    icon = "⚠️" if report.choice is None else "ℹ️"
    yield f"## {icon} {escaped(report.tool.name)}: which checkpoint to keep"
    yield ""
    yield escaped(sentence(report), 1_000)
    yield ""
    yield from (f"- {escaped(one, 600)}" for one in findings(report)[1:])
    yield ""
    yield from _table(report)
    yield from _suspects(report)
    yield from (f"- {escaped(note, 300)}" for note in report.notes)
    yield ""
    yield from READ_SO


def _table(report: TrackReport) -> Iterator[str]:
    yield f"| {' | '.join(TITLES)} |"
    yield f"| --- |{' ---: |' * (len(TITLES) - 1)}"
    rows = zip(report.checkpoints, cells(report), strict=True)
    for one, row in list(rows)[:MOST_CHECKPOINTS]:
        name = f"**{escaped(row[0])}**" if one.path == report.chosen else escaped(row[0])
        yield f"| {name} | {' | '.join(row[1:])} |"
    if (more := len(report.checkpoints) - MOST_CHECKPOINTS) > 0:
        yield ""
        yield f"{more} more are in the JSON form."
    yield ""


def _suspects(report: TrackReport) -> Iterator[str]:
    chosen, names = most_suspect(report, SHOWN), checkpoint_names(report)
    if not chosen:
        return
    yield f"### The {len(chosen)} most suspect samples"
    yield ""
    yield "| Sample | Label | Margin | Fitted from |"
    yield "| --- | --- | ---: | --- |"
    for one in chosen:
        label = escaped(class_name(one.label, report.names))
        since = escaped(fitted_from(one, names))
        yield f"| {code(one.id)} | {label} | {one.margin:.2f} | {since} |"
    yield ""
