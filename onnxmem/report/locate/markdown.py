"""Where a network memorizes as Markdown, for the summary of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.report.locate.rows import tables
from onnxmem.report.locate.words import READ_SO, findings, heading, notes
from onnxmem.report.markdown import escaped

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

MOST_ROWS = 200


def render(report: LocateReport) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: LocateReport) -> Iterator[str]:
    icon = "⚠️" if report.reason else "ℹ️"
    yield f"## {icon} {escaped(report.tool.name)}: {escaped(heading(report), 200)}"
    yield ""
    yield from (f"- {escaped(one, 800)}" for one in findings(report))
    yield ""
    for _, title, heads, rows in tables(report):
        yield f"### {escaped(title)}"
        yield ""
        yield f"| {' | '.join(escaped(head) for head in heads)} |"
        yield f"| --- |{' ---: |' * (len(heads) - 1)}"
        for row in rows[:MOST_ROWS]:
            yield f"| {' | '.join(escaped(cell, 200) for cell in row)} |"
        if len(rows) > MOST_ROWS:
            yield ""
            yield f"{len(rows) - MOST_ROWS} more are in the JSON report."
        yield ""
    yield from (f"- {escaped(note, 300)}" for note in notes(report))
    yield ""
    yield from READ_SO
