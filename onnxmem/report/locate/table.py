"""Where a network memorizes, on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from onnxmem.report.locate.words import READ_SO, findings, layer_name, sentence, share
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import Depth, LocateReport, Rewinding


@dataclass(frozen=True, slots=True)
class TerminalLocate:
    """A report that fits its tables to the width of the console."""

    report: LocateReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the sentence, a table for each part, and what is not said."""
        report = self.report
        yield Text(sentence(report), style="bold")
        yield from (Text(f"- {one}") for one in findings(report))
        if report.rewinding is not None and report.rewinding.segments:
            yield _rewinding(report.rewinding)
        if report.depth.layers:
            yield _depth(report.depth)
        yield from (
            Text(f"Note: {printable(note, 300)}", style="yellow") for note in _notes(report)
        )
        yield from (Text(text, style="dim") for text in READ_SO)


def _notes(report: LocateReport) -> Iterator[str]:
    yield from report.notes
    if report.rewinding is not None:
        yield from report.rewinding.notes


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(title, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _rewinding(rewinding: Rewinding) -> Table:
    table = _table("With this segment of the checkpoint", ["clean", "suspects"])
    whole = (("(none)", rewinding.network), ("(all of it)", rewinding.rewound))
    table.add_row(whole[0][0], share(whole[0][1].clean), share(whole[0][1].suspect))
    for number, one in enumerate(rewinding.segments, start=1):
        reason = f"\n{printable(one.reason, 120)}" if one.reason else ""
        name = f"{number} {layer_name(one.from_, 30)} → {layer_name(one.to, 30)}{reason}"
        style = "bold" if one.to == rewinding.lowest else ""
        cells = share(one.clean_accuracy), share(one.suspect_accuracy)
        table.add_row(Text(name), *cells, style=style)
    table.add_row(whole[1][0], share(whole[1][1].clean), share(whole[1][1].suspect))
    return table


def _depth(depth: Depth) -> Table:
    table = _table("Neighbours agree with the label", ["all", "suspects"])
    for number, one in enumerate(depth.layers):
        reason = f"\n{printable(one.reason, 120)}" if one.reason else ""
        cells = share(one.own_agreement), share(one.suspects_agreement)
        table.add_row(Text(f"{number} {layer_name(one.tensor, 48)}{reason}"), *cells)
    return table
