"""A course of training on the terminal: what was found, the checkpoints, the suspects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from onnxmem.findings import short_names
from onnxmem.findings.track import checkpoint_names
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
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import TrackReport

SHOWN = 10
"""Samples in the table."""

_LONG = 16
"""Characters from which on a name is shortened."""


@dataclass(frozen=True, slots=True)
class TerminalTrack:
    """A report that fits its tables to the width of the console."""

    report: TrackReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the sentence, the checkpoints, the suspects, and what is not said."""
        report = self.report
        yield Text(sentence(report), style="bold")
        yield from (Text(f"- {one}") for one in findings(report)[1:])
        yield _checkpoints(report)
        if report.choice is not None:
            yield Text("* the checkpoint to keep")
        if any(one.suspect for one in report.samples):
            yield _suspects(report)
        yield from (Text(f"Note: {printable(note, 300)}", style="yellow") for note in report.notes)
        yield from (Text(text, style="dim") for text in READ_SO)


def _checkpoints(report: TrackReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(TITLES[0], overflow="fold")
    for title in TITLES[1:]:
        table.add_column(title, justify="right")
    names = _names(report)
    for one, name, row in zip(report.checkpoints, names, cells(report), strict=True):
        kept = one.path == report.chosen
        shown = f"{name} *" if kept else name
        table.add_row(*map(Text, (shown, *row[1:])), style="bold" if kept else "")
    return table


def _names(report: TrackReport) -> list[str]:
    """Return what checkpoints are called in a table: of long names what tells them apart."""
    names = checkpoint_names(report)
    return short_names(names) if max(map(len, names), default=0) > _LONG else list(names)


def _suspects(report: TrackReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Most suspect", overflow="fold")
    for title in ("Label", "Margin", "Fitted from"):
        table.add_column(title, justify="right", overflow="fold")
    names = _names(report)
    for one in most_suspect(report, SHOWN):
        table.add_row(
            Text(printable(one.id, 40)),
            Text(class_name(one.label, report.names)),
            f"{one.margin:.2f}",
            Text(fitted_from(one, names)),
        )
    return table
