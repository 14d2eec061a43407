"""Samples on the terminal: what was found, the most memorized ones, and the layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from onnxmem.report.samples.words import (
    READ_SO,
    class_name,
    findings,
    layer_name,
    sentence,
    share,
)
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import SampleEvidence, SamplesReport

SHOWN = 10
"""Samples in the table."""


@dataclass(frozen=True, slots=True)
class TerminalSamples:
    """A report that fits its tables to the width of the console."""

    report: SamplesReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the sentence, the samples, the layers, and what is not said."""
        report = self.report
        yield Text(sentence(report), style="bold")
        yield from (Text(f"- {one}") for one in findings(report)[2:])
        chosen = [one for one in report.samples if one.memorized]
        if chosen:
            chosen.sort(key=lambda one: (-one.margin, one.row))
            yield _samples(report, chosen[:SHOWN])
            yield Text(f"The {min(SHOWN, len(chosen))} most memorized of {len(chosen):,}.")
        if report.layers:
            yield _layers(report)
        yield from (Text(f"Note: {printable(note, 300)}", style="yellow") for note in report.notes)
        yield from (Text(text, style="dim") for text in READ_SO)


def _samples(report: SamplesReport, chosen: list[SampleEvidence]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Sample", overflow="fold")
    for title in ("Label", "Neighbours say", "Margin", "Depth"):
        table.add_column(title, justify="right", no_wrap=title != "Neighbours say")
    for one in chosen:
        table.add_row(
            Text(printable(one.id, 40)),
            Text(class_name(one.label, report.names)),
            Text(class_name(one.neighbours_say, report.names)),
            f"{one.margin:.2f}",
            "never" if one.depth is None else str(one.depth),
        )
    return table


def _layers(report: SamplesReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Neighbours agree with the label", overflow="fold")
    titles = ["all", "suspects"]
    held = any(one.held_out_agreement is not None for one in report.layers)
    for title in [*titles, "held-out"] if held else titles:
        table.add_column(title, justify="right", no_wrap=True)
    for number, one in enumerate(report.layers):
        shares = [one.own_agreement, one.suspects_agreement]
        shares += [one.held_out_agreement] if held else []
        name = layer_name(one.tensor, 48)
        reason = f"\n{printable(one.reason, 120)}" if one.reason else ""
        table.add_row(Text(f"{number} {name}{reason}"), *map(share, shares))
    return table
