"""A comparison on the terminal: what was found, then models as rows, so that no number is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.box import SIMPLE
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from onnxmem.findings import (
    LAYER_TITLES,
    PAIR_TITLES,
    comparison_findings,
    layer_rows,
    likeness_rows,
    likeness_summary,
    short_names,
    two_numbers,
)
from onnxmem.records import Comparison
from onnxmem.report import rows
from onnxmem.report.findings import (
    APART,
    cell_text,
    findings,
    limits,
    relative_scores,
    starred,
    unequal_accuracies,
)
from onnxmem.report.words import column_title, key_title, leading, shown_keys
from onnxmem.text import capitalized, printable

T = TypeVar("T")
NAME = 24
_MOST_ROWS = 30
"""Pairs of models, or of layers, in a table."""
_FEW = 3
"""Models whose layers have a table, pair by pair; of more the page and the JSON form have it."""
_MEAN, _LAYER = 17, 7
"""Characters that a mean, and a layer, take with the space beside them."""


@dataclass(frozen=True, slots=True)
class TerminalComparison:
    """A comparison that fits its tables to the width of the console."""

    comparison: Comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what was found, the means, each layer, and what cannot be compared."""
        comparison = self.comparison
        names = [printable(name, NAME) for name in short_names(comparison.models)]
        for one in comparison_findings(comparison):
            yield Text(f"{capitalized(one.sentence)}.", style="bold")
        if two_numbers(comparison):
            yield _evidence(comparison, names)
        yield from _means(comparison, names, options.max_width)
        yield from _layers(comparison, names, options.max_width)
        yield from _likeness(comparison)
        if len(names) == 2:
            yield from (Text(f"- {one}") for one in findings(comparison))
        yield from (Text(f"- {one}", style="yellow") for one in limits(comparison))


def _table(*titles: str) -> Table:
    table = Table(box=SIMPLE, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for place, title in enumerate(titles):
        table.add_column(Text(title), justify="right" if place else "left", no_wrap=bool(place))
    return table


def _evidence(comparison: Comparison, names: Sequence[str]) -> Table:
    table = _table("model", "memorized", "label noise")
    for name, (_, *cells) in zip(names, two_numbers(comparison), strict=True):
        table.add_row(*map(Text, (name, *cells)))
    return table


def _likeness(comparison: Comparison) -> Iterator[Table | Text]:
    """Yield how alike the models are on held-out inputs: sentences, pairs, then layers."""
    if not comparison.predictions:
        return
    yield Text(likeness_summary(comparison), style="bold")
    tables = [(PAIR_TITLES, likeness_rows(comparison)), (LAYER_TITLES, layer_rows(comparison))]
    for titles, found in tables[: 2 if len(comparison.models) <= _FEW else 1]:
        table = Table(box=SIMPLE, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
        for place, title in enumerate(titles):
            table.add_column(title, justify="right" if place else "left", overflow="fold")
        for row in found[:_MOST_ROWS]:
            table.add_row(*map(Text, row))
        yield table
        if len(found) > _MOST_ROWS:
            yield Text(f"{len(found) - _MOST_ROWS} more rows are in the JSON form.", style="dim")


def _means(comparison: Comparison, names: Sequence[str], width: int) -> Iterator[Table | Text]:
    """Yield the mean AuCs and their differences to the first model.

    Where accuracies differ the same relative to them follows.
    """
    keys = [key for key in shown_keys(*comparison.reports) if key in comparison.summary]
    if not keys:
        return
    means = {key: list(map(cell_text, comparison.summary[key])) for key in keys}
    shown = {"mean AuC": means}
    if any(unequal_accuracies(comparison.models, comparison.reports)):
        shown["relative to\nthe accuracy"] = relative_scores(comparison)
    room = max(1, (width - max(map(len, names)) - 2) // _MEAN)
    for title, scores in shown.items():
        for chosen in _chunks(keys, room):
            titles = ("\n".join(filter(None, column_title(key, keys))) for key in chosen)
            table = _table(title, *titles)
            for place, name in enumerate(names):
                table.add_row(Text(name), *(Text(scores[key][place]) for key in chosen))
            yield table
    if starred(comparison):
        yield Text(f"* {APART}", style="dim")


def _layers(comparison: Comparison, names: Sequence[str], width: int) -> Iterator[Table | Text]:
    """Yield AuCs of the leading curve, as many layers side by side as there is room for."""
    key = leading([*comparison.summary])
    if key is None or not comparison.layers:
        return
    room = max(1, (width - max(map(len, names)) - 2) // _LAYER)
    places = list(range(len(comparison.layers)))
    for chosen in _chunks(places, room):
        table = _table(f"AuC, {key_title(key)}", *(str(place + 1) for place in chosen))
        for model, name in enumerate(names):
            cells = (comparison.layers[place].scores[key][model] for place in chosen)
            table.add_row(Text(name), *(Text(_short(cell_text(cell))) for cell in cells))
        yield table
    told = ", ".join(rows.matched_names(comparison))
    yield Text(f"layers: {told}", style="dim")


def _short(text: str) -> str:
    """Return an AuC without its difference; saturated ones say so in four letters."""
    return {"saturated": "sat.", "above": "above"}.get(text, text.split(" ")[0])


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
