"""The rows that the charts draw: small tables made from a report, the same for page and picture.

Names are made harmless here; numbers are rounded to four digits, which no eye can tell apart.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from onnxmem.findings import short_names
from onnxmem.records import Cell, Comparison, Curve, Report, model_names
from onnxmem.report.words import (
    BATCHES,
    COMPRESSORS,
    interval,
    key_title,
    number,
    score_layers,
    state,
    tensor_name,
    worst_first,
)
from onnxmem.text import printable

Row = dict[str, Any]

ROW_NAME_LENGTH = 30
_SUFFIX = re.compile(r"_output_0$|:0$")
_WORD = re.compile(r"[^\W\d_]{2}")
GROUP_BUDGET = 6_000
"""How many groups (classes or mixed batches) one report may bring into a page."""


def row_names(report: Report) -> list[str]:
    """Return a short name for each layer, in the order of the network; no two are equal."""
    return numbered([layer.tensor for layer in report.layers])


def numbered(tensors: Sequence[str]) -> list[str]:
    """Return a number and a short name for each tensor, in their order; no two are equal.

    What exporters add at the end is left out, and so are path segments that all tensors share:
    at the beginning, and at the end too where words remain.
    """
    paths = [_SUFFIX.sub("", tensor).split("/") for tensor in tensors]
    head = _shared(paths)
    paths = [path[head:] for path in paths]
    tail = _shared([path[::-1] for path in paths])
    short = ["/".join(path[: len(path) - tail]) for path in paths]
    names = short if all(map(_WORD.search, short)) else ["/".join(path) for path in paths]
    return [f"{index + 1} {tensor_name(name, ROW_NAME_LENGTH)}" for index, name in enumerate(names)]


def _shared(paths: Sequence[Sequence[str]]) -> int:
    """Count the first segments that are equal in all of several paths, leaving one in each."""
    if len(paths) < 2:
        return 0
    most = min(map(len, paths)) - 1
    equal = (len(set(segments)) == 1 for segments in zip(*paths, strict=False))
    return min(most, sum(itertools.takewhile(bool, equal)))


def first_choice(report: Report) -> int:
    """Return the position of the layer to show first: the scored one with the lowest AuC."""
    return report.layers.index(worst_first(report)[0]) if report.layers else -1


def curve_rows(report: Report) -> list[Row]:
    """Return a row for each curve, with its points, and one for each layer without curves."""
    rows: list[Row] = []
    for index, (name, layer) in enumerate(zip(row_names(report), report.layers, strict=True)):
        place = {"layer": index, "row": name}
        rows += [
            place | {"curve": len(rows) + offset} | _curve(curve)
            for offset, curve in enumerate(layer.curves)
        ]
    return rows


def _curve(curve: Curve) -> Row:
    return {
        "compressor": COMPRESSORS[curve.compressor],
        "batch": BATCHES[curve.batch],
        "xName": curve.x_name,
        "x": list(curve.x),
        "accuracy": _rounded(curve.accuracy),
        "error": _rounded(curve.error),
        "auc": round(curve.auc, 4),
        "low": round(curve.auc_low, 4),
        "high": round(curve.auc_high, 4),
        "interval": interval(curve.auc_low, curve.auc_high),
        "state": state(curve),
    }


def bare_rows(report: Report) -> list[Row]:
    """Return a row for each layer without curves, with what to write in their place."""
    return [
        {
            "layer": index,
            "row": name,
            "note": f"{layer.status}: {printable(layer.reason, 60)}".rstrip(": "),
        }
        for index, (name, layer) in enumerate(zip(row_names(report), report.layers, strict=True))
        if not layer.curves
    ]


def group_rows(report: Report) -> list[Row]:
    """Return a row for each class or mixed batch of each curve, those with the lowest AuC first.

    A report with very many of them keeps, of each curve, the groups with the lowest AuC.
    """
    rows: list[Row] = []
    limit = groups_shown(report)
    curves = [curve for layer in report.layers for curve in layer.curves]
    for index, curve in enumerate(curves):
        lowest = sorted(curve.groups, key=lambda group: (group.auc, group.label))[:limit]
        rows += [
            {
                "curve": index,
                "label": (
                    printable(report.data.class_name(group.label), 24)
                    if curve.batch == "class"
                    else group.label
                ),
                "auc": round(group.auc, 3),
                "accuracy": [round(value, 3) for value in group.accuracy],
            }
            for group in lowest
        ]
    return rows


def groups_shown(report: Report) -> int:
    """Return how many groups of each curve `group_rows` keeps at most."""
    curves = sum(len(layer.curves) for layer in report.layers)
    return max(4, GROUP_BUDGET // max(1, curves))


def time_rows(report: Report) -> list[Row]:
    """Return a row for each stage and the seconds that it took, the longest first."""
    stages = sorted(report.seconds.items(), key=lambda item: -item[1])
    return [
        {"stage": printable(stage, 24), "seconds": round(seconds, 3)} for stage, seconds in stages
    ]


def model_rows(reports: Sequence[Report]) -> list[Row]:
    """Return a row for each model and summary key that has a mean AuC."""
    return [
        {
            "model": name,
            "compressor": COMPRESSORS[compressor],
            "batch": BATCHES[batch],
            "auc": value.auc,
            "low": value.auc_low,
            "high": value.auc_high,
            "text": f"{key_title(key)}: {number(value.auc)}",
            "layers": score_layers(value),
        }
        for name, report in zip(model_names(reports), reports, strict=True)
        for key, value in report.summary.items()
        for compressor, _, batch in [key.partition(".")]
        if value.auc is not None and compressor in COMPRESSORS and batch in BATCHES
    ]


def depth_rows(reports: Sequence[Report]) -> list[Row]:
    """Return a row for each model, layer and curve, placed by its depth in the network (0 to 1)."""
    return [
        {
            "model": name,
            "depth": round(index / max(1, len(report.layers) - 1), 4),
            "row": row,
            "key": curve.key,
            "auc": round(curve.auc, 4),
            "interval": interval(curve.auc_low, curve.auc_high),
            "state": state(curve),
        }
        for name, report in zip(model_names(reports), reports, strict=True)
        for index, (row, layer) in enumerate(zip(row_names(report), report.layers, strict=True))
        for curve in layer.curves
    ]


def matched_names(comparison: Comparison) -> list[str]:
    """Return a short name for each row of layers, from the first model that has the layer."""
    short = [
        dict(zip((layer.tensor for layer in report.layers), row_names(report), strict=True))
        for report in comparison.reports
    ]
    names = (
        next(
            (of[tensor] for of, tensor in zip(short, row.tensors, strict=True) if tensor in of), ""
        )
        for row in comparison.layers
    )
    return [
        f"{place} {name.partition(' ')[2]}".strip() for place, name in enumerate(names, start=1)
    ]


def heat_rows(comparison: Comparison) -> list[Row]:
    """Return a row for each layer, curve and model that was measured."""
    return [
        {
            "model": short,
            "row": name,
            "key": key,
            "auc": None if cell.auc is None else round(cell.auc, 4),
            "text": number(cell.auc or 0.0, 2) if cell.scored else state(cell),
            "state": state(cell),
            "ink": _ink(cell),
        }
        for row, name in zip(comparison.layers, matched_names(comparison), strict=True)
        for key, cells in row.scores.items()
        for short, cell in zip(short_names(comparison.models), cells, strict=True)
        if cell is not None and cell.auc is not None
    ]


def _ink(cell: Cell) -> str:
    """Return a colour of text that can be read on the cell's own."""
    if not cell.scored or cell.auc is None:
        return "#8a94a3"
    return "#ffffff" if cell.auc < 0.6 else "#10151b"


def matched_rows(comparison: Comparison, keys: Sequence[str]) -> list[Row]:
    """Return a row for each model's curve `keys` of each layer, named as the layer's row is."""
    layers = [{layer.tensor: layer for layer in one.layers} for one in comparison.reports]
    models = model_names(comparison.reports)
    return [
        {
            "model": model,
            "layer": place,
            "row": name,
            "key": curve.key,
            "x": list(curve.x),
            "accuracy": _rounded(curve.accuracy),
        }
        for place, name in enumerate(matched_names(comparison))
        for model, of, tensor in zip(models, layers, comparison.layers[place].tensors, strict=True)
        if tensor in of
        for curve in of[tensor].curves
        if curve.key in keys
    ]


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]
