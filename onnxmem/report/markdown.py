"""The Markdown report, for the summary of a job: the worst layers first, never too long."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from onnxmem.findings import audit_headline, waivers_told
from onnxmem.records import Curve, Gate, Layer, Report, Score
from onnxmem.report.words import (
    curve_keys,
    gate_numbers,
    gate_state,
    interval,
    key_title,
    leading_key,
    number,
    sentence,
    shape,
    state,
    tensor_name,
    worst_first,
)
from onnxmem.text import printable

MOST_BYTES = 900_000
MOST_ROWS = 200
"""Of gates, and of mean AuCs."""

GATE_TITLES = ("Gate", "Threshold", "Value", "Bound", "Result")
ICONS = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️", "none": "ℹ️"}

_ACTIVE = re.compile(r"[\\`*_{}\[\]()<>#!|~&$@:]|(?<=www)\.", re.IGNORECASE)
_LIMITS = (
    "AuC is the area under the accuracy over log2 rank (over the kept share of units for "
    "ablation), 0 to 1. *Saturated* means that the curve lies at its ceiling: nothing can be "
    "read from it, good or bad; *above* that it lies above the accuracy of the untouched network, "
    "as where labels were not fitted. *Relative* is the AuC over that accuracy. "
    "NMF was not found to separate memorizing networks better than PCA "
    "and ablation do. Compare only models audited on the same samples with the same settings."
)


def render(report: Report) -> str:
    """Return the report as Markdown of less than `MOST_BYTES` bytes in UTF-8."""
    head = [
        f"## {ICONS[report.verdict]} {escaped(report.tool.name)}: {report.verdict}",
        "",
        f"**{escaped(audit_headline(report), 600)}**",
        "",
        escaped(sentence(report), 2_000),
        "",
        *_section("Gates", GATE_TITLES, (_gate(gate, report.waived) for gate in report.gates)),
        *(f"- {escaped(one, 600)}" for one in waivers_told(report)),
        "",
        *_section(
            "Mean AuC",
            ("Curve", "Mean AuC", "95 % interval", "Relative", "Scored", "Saturated", "Above"),
            (_score(key, value) for key, value in report.summary.items()),
        ),
    ]
    return _with_layers(head, report) + f"{_LIMITS}\n"


def escaped(text: str, length: int = 80) -> str:
    """Return `text` as one line in which no character is Markdown, HTML, a link or a mention."""
    return _ACTIVE.sub(lambda match: f"&#{ord(match.group())};", printable(text, length))


def code(text: str) -> str:
    """Return the name `text` set as code, in which a host looks for no mentions and no links."""
    return f"<code>{escaped(text)}</code>"


def _with_layers(head: list[str], report: Report) -> str:
    """Return the head and as many rows of the table of layers as there is room for."""
    if not report.layers:
        return _text(head)
    keys = curve_keys(report)
    key = leading_key(report)
    order = f"lowest AuC ({key_title(key)}) first" if key else "none of them was measured"
    titles = ("Layer", "Op", "Shape", *map(key_title, keys), "Status")
    lines = [*head, f"### Layers, {order}", "", *_table_head(titles)]
    room = MOST_BYTES - len((_text(lines) + _LIMITS).encode("utf-8")) - 200
    places = {id(layer): place for place, layer in enumerate(report.layers, start=1)}
    layers = worst_first(report)
    for written, layer in enumerate(layers):
        row = _row(_layer(places[id(layer)], layer, keys))
        room -= len(row.encode("utf-8")) + 1
        if room < 0:
            lines += ["", f"{len(layers) - written} more layers are in the JSON report."]
            break
        lines.append(row)
    return _text([*lines, ""])


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _section(title: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_row(row) for row in rows]
    if not lines:
        return []
    more = len(lines) - MOST_ROWS
    tail = [f"{more} more are in the JSON report.", ""] if more > 0 else []
    return [f"### {title}", "", *_table_head(titles), *lines[:MOST_ROWS], "", *tail]


def _table_head(titles: Sequence[str]) -> list[str]:
    return [_row(titles), _row(["---"] * len(titles))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _gate(gate: Gate, waived: Collection[str]) -> tuple[str, ...]:
    result = f"**{gate_state(gate)}**" if gate.passed is False else gate_state(gate)
    result += ", waived" if gate.passed is False and gate.key in waived else ""
    result += f" ({escaped(gate.note, 200)})" if gate.note else ""
    return code(gate.key), *gate_numbers(gate), result


def _score(key: str, value: Score) -> tuple[str, ...]:
    mean = "none" if value.auc is None else number(value.auc)
    known = value.auc_low is not None and value.auc_high is not None
    bounds = interval(value.auc_low or 0.0, value.auc_high or 0.0) if known else "–"
    counts = (value.layers_scored, value.layers_saturated, value.layers_above)
    over = "–" if value.auc_relative is None else number(value.auc_relative)
    return escaped(key_title(key)), mean, bounds, over, *map(str, counts)


def _layer(place: int, layer: Layer, keys: Sequence[str]) -> tuple[str, ...]:
    """Return the cells of a layer, which is the `place`th of the network, counted from 1."""
    reason = f": {escaped(layer.reason, 160)}" if layer.reason else ""
    return (
        f"{place} {code(tensor_name(layer.tensor))}",
        escaped(layer.op),
        shape(layer.shape),
        *(_cell(layer.curve(key)) for key in keys),
        f"{layer.status}{reason}",
    )


def _cell(curve: Curve | None) -> str:
    if curve is None:
        return "–"
    if not curve.scored:
        return f"{number(curve.auc)} {state(curve)}"
    return f"{number(curve.auc)} ({interval(curve.auc_low, curve.auc_high)})"
