"""The table on the terminal: one row for each layer, then what was measured in a sentence.

Names come as `rich.text.Text`, never as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from onnxmem.findings import audit_headline, waivers_told
from onnxmem.records import CACHED_LAYERS, RELATIVE, SATURATION, Gate, Layer, Report, Score
from onnxmem.report.rows import row_names
from onnxmem.report.words import (
    accuracy,
    column_title,
    gate_state,
    gate_values,
    interval,
    number,
    sentence,
    shape,
    shown_keys,
    tensor_name,
)
from onnxmem.text import printable

WIDE = 132
NARROW = {"NMF": "NMF", "PCA": "PCA", "Ablation": "Abl."}
SATURATED = (
    f"sat.: the curve lies at its ceiling (its AuC is at least {SATURATION:.0%} of the baseline), "
    "so nothing can be read from it."
)
ABOVE = (
    "above: the curve lies above the accuracy of the untouched network, so it says nothing about "
    "compression; labels that were not fitted look like that."
)
VERDICT_STYLES = {
    "pass": "green",
    "fail": "red",
    "inconclusive": "yellow",
    "none": "",
}
STATUS_STYLES = {"scored": "", "saturated": "yellow", "above": "yellow", "skipped": "dim"}


@dataclass(frozen=True, slots=True)
class TerminalReport:
    """A report that fits its table to the width of the console."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, the reasons of skipped layers, the gates and the sentence."""
        report = self.report
        yield Text(audit_headline(report), style=f"bold {VERDICT_STYLES[report.verdict]}")
        if report.layers:
            yield _table(report, wide=options.max_width >= WIDE)
        yield from _reasons(report)
        yield Text(f"Baseline: {accuracy(report.baseline)}")
        if any(curve.saturated for layer in report.layers for curve in layer.curves):
            yield Text(SATURATED, style="yellow")
        if any(curve.above for layer in report.layers for curve in layer.curves):
            yield Text(ABOVE, style="yellow")
        if cached := report.timings.get(CACHED_LAYERS):
            yield Text(f"{cached:.0f} of {len(report.layers)} layers from the cache", style="dim")
        yield from (_gate(gate, gate.key in report.waived) for gate in report.gates)
        yield from (Text(one, style="yellow") for one in waivers_told(report))
        yield Text(sentence(report), style=VERDICT_STYLES[report.verdict])


def _table(report: Report, wide: bool) -> Table:
    keys = shown_keys(report)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Layer", overflow="fold", min_width=14)
    for title in ("Op", "Shape", "Baseline") if wide else ():
        table.add_column(title, no_wrap=True, justify="right" if title == "Baseline" else "left")
    for key in keys:
        title, batches = column_title(key, keys)
        words = "" if not batches else key.split(".")[1]
        table.add_column(
            Text(f"{title if wide else NARROW[title]}\n{words}"), justify="right", no_wrap=True
        )
    if wide:
        table.add_column("Status", no_wrap=True)
    for name, layer in zip(row_names(report), report.layers, strict=True):
        cells = (_cell(layer, key, wide) for key in keys)
        if wide:
            table.add_row(*_wide_row(report, layer, cells))
        else:
            table.add_row(*_narrow_row(name, layer, cells))
    if keys:
        table.add_section()
        table.add_row(*_mean_row(report, keys, wide))
        if any(report.value(key + RELATIVE) for key in keys):
            table.add_row(*_relative_row(report, keys, wide))
    return table


def _wide_row(report: Report, layer: Layer, cells: Iterable[Text]) -> Iterator[Text]:
    style = STATUS_STYLES[layer.status]
    yield Text(tensor_name(layer.tensor, 60), style=style)
    yield Text(printable(layer.op, 16), style=style)
    yield Text(shape(layer.shape), style=style)
    yield Text("–" if report.baseline.value is None else number(report.baseline.value))
    yield from cells
    yield Text(layer.status, style=style)


def _narrow_row(short: str, layer: Layer, cells: Iterable[Text]) -> Iterator[Text]:
    style = STATUS_STYLES[layer.status]
    name = Text(short, style=style)
    name.append(f"\n{printable(layer.op, 10)} {shape(layer.shape)}", style="dim")
    if layer.status != "scored":
        name.append(f" {layer.status}", style=style)
    yield name
    yield from cells


def _mean_row(report: Report, keys: tuple[str, ...], wide: bool) -> Iterator[Text]:
    """Yield the summary under the columns it sums up: mean, interval, number of layers."""
    yield Text("Mean of what\ncan be read", style="bold")
    yield from (Text("") for _ in range(3 if wide else 0))
    for key in keys:
        value = report.summary.get(key)
        yield Text("–") if value is None else _mean(value, wide)


def _relative_row(report: Report, keys: tuple[str, ...], wide: bool) -> Iterator[Text]:
    """Yield the means over the accuracy of the untouched network."""
    yield Text("Relative to\nthe baseline", style="bold")
    yield from (Text("") for _ in range(3 if wide else 0))
    for key in keys:
        value = report.value(key + RELATIVE)
        if value is None:
            yield Text("–")
            continue
        text = Text(number(value.value, 2), style="bold")
        yield text.append(_bounds(value.low, value.high, wide), "not bold dim")


def _mean(value: Score, wide: bool) -> Text:
    layers = f"\n{value.layers_scored} of {_all_layers(value)}"
    if value.auc is None:
        return Text(f"–{layers}")
    text = Text(number(value.auc, 2), style="bold")
    if value.auc_low is not None and value.auc_high is not None:
        text.append(_bounds(value.auc_low, value.auc_high, wide), "not bold dim")
    return text.append(layers, "not bold dim")


def _all_layers(value: Score) -> int:
    return value.layers_scored + value.layers_saturated + value.layers_above


def _cell(layer: Layer, key: str, wide: bool) -> Text:
    """Return an AuC and its interval; one that cannot be read says so instead."""
    curve = layer.curve(key)
    if curve is None:
        return Text("–", style="dim")
    text = Text(number(curve.auc, 2))
    if not curve.scored:
        mark = "above" if curve.above else "sat."
        return text.append((" " if wide else "\n") + mark, "yellow")
    return text.append(_bounds(curve.auc_low, curve.auc_high, wide), "dim")


def _bounds(low: float, high: float, wide: bool) -> str:
    return (" " if wide else "\n") + interval(low, high, 2).replace("0.", ".")


def _reasons(report: Report) -> Iterator[Text]:
    """Yield why layers were skipped, where that is not what the verdict says anyway."""
    for layer in report.layers:
        if layer.status == "skipped" and layer.reason != report.reason:
            name, reason = tensor_name(layer.tensor, 48), printable(layer.reason, 300)
            yield Text(f"Skipped {name}: {reason}", style="dim")


def _gate(gate: Gate, waived: bool) -> Text:
    style = {True: "green", False: "yellow" if waived else "red", None: "yellow"}[gate.passed]
    state = gate_state(gate) + (", waived" if waived and gate.passed is False else "")
    return Text(f"Gate {printable(gate.key)}: {state}, {gate_values(gate)}", style=style)
