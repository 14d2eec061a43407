"""A survey on the terminal: how many of each state, and the models, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from onnxmem.report import words as common
from onnxmem.report.survey import words

if TYPE_CHECKING:
    from onnxmem.records import SurveyReport

SHOWN = 50
"""Models in the table."""


@dataclass(frozen=True, slots=True)
class TerminalSurvey:
    """A survey that fits its table to the width of the console."""

    report: SurveyReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the sentence, and the table of the worst models."""
        report = self.report
        yield Text(words.sentence(report), style="bold")
        yield _table(report)
        if (more := len(report.models) - SHOWN) > 0:
            yield Text(f"and {more:,} more models in index.html", style="dim")


def _table(report: SurveyReport) -> Table:
    key = common.leading(words.shown_keys(report))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    first, *numbers, last = words.titles(key)
    table.add_column(first, overflow="fold")
    for title in numbers:
        table.add_column(title, justify="right")
    table.add_column(last, overflow="fold")
    worst = sorted(report.models, key=lambda one: -(one.exit_code or 0))
    for one in worst[:SHOWN]:
        table.add_row(*map(Text, words.cells(one, key)))
    return table
