"""Where a network memorizes, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from onnxmem.report.locate.rows import tables
from onnxmem.report.locate.words import READ_SO, findings, heading, notes

if TYPE_CHECKING:
    from onnxmem.records import LocateReport


@dataclass(frozen=True, slots=True)
class TerminalLocate:
    """A report that fits its tables to the width of the console."""

    report: LocateReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the findings, a table for each part, and what is not said."""
        yield Text(heading(self.report), style="bold")
        yield from (Text(f"- {one}") for one in findings(self.report))
        for _, _, heads, rows in tables(self.report):
            yield _table(heads, rows)
        yield from (Text(f"Note: {note}", style="yellow") for note in notes(self.report))
        yield from (Text(text, style="dim") for text in READ_SO)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(heads[0], overflow="fold")
    for name in heads[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    for first, *cells in rows:
        table.add_row(Text(first), *cells)
    return table
