"""Compares audits of several models: layers matched by order and width, scores side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from onnxmem import graph
from onnxmem.auditing import Settings
from onnxmem.auditing.network import predictions, prepare
from onnxmem.data import make_samples
from onnxmem.errors import DataError, UsageError
from onnxmem.records import COMPARABLE, Layer, Report
from onnxmem.report.words import curve_of, model_names
from onnxmem.runtime import select_device

SCHEMA = "onnxmem.compare/1"


@dataclass(frozen=True, slots=True)
class Cell:
    """One score of one model.

    Attributes:
        auc, auc_low, auc_high: the AuC, or the mean over the layers that are not saturated, and
            its interval; None where there is none.
        saturated: nothing can be read from it.
        difference: to the first model; None where one of both is saturated or missing.
        apart: whether the intervals of both do not overlap; None as above.
    """

    auc: float | None
    auc_low: float | None
    auc_high: float | None
    saturated: bool
    difference: float | None = None
    apart: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Layers that correspond to each other, one for each model; None where a model has none.

    `width` counts features; `scores` has for each key one cell (or None) for each model.
    """

    width: int | None
    tensors: tuple[str | None, ...]
    scores: dict[str, tuple[Cell | None, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several reports, and what they have in common."""

    schema: str
    models: tuple[str, ...]
    reports: tuple[Report, ...]
    summary: dict[str, tuple[Cell | None, ...]]
    layers: tuple[Row, ...]

    def to_json(self) -> str:
        """Return the comparison as JSON text, the reports included."""
        values: dict[str, Any] = {
            "schema": self.schema,
            "models": self.models,
            "reports": [report.to_dict() for report in self.reports],
            "summary": {k: [c and asdict(c) for c in cells] for k, cells in self.summary.items()},
            "layers": [asdict(row) for row in self.layers],
        }
        return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def compare(reports: Sequence[Report]) -> Comparison:
    """Put reports side by side; the first is what the others differ from.

    Raises:
        UsageError: they measured different things; the message says which.
    """
    if differ := _differing(reports):
        raise UsageError(
            f"the reports cannot be compared: {', '.join(differ)} differ; "
            "audit all models with the same data and settings"
        )
    keys = list(dict.fromkeys(key for report in reports for key in report.summary))
    return Comparison(
        schema=SCHEMA,
        models=model_names(reports),
        reports=tuple(reports),
        summary={key: _against_first([_mean(report, key) for report in reports]) for key in keys},
        layers=tuple(_row(layers, keys) for layers in match_layers([r.layers for r in reports])),
    )


def _differing(reports: Sequence[Report]) -> list[str]:
    """Return what must be the same in all reports and is not."""
    facts = [
        {
            "classes": (report.data.classes, report.data.left_out),
            "data": report.data.sha256,
            "samples": report.data.samples,
            **{name: report.settings.get(name) for name in (*COMPARABLE, "seed")},
            "metric": report.baseline.metric,
        }
        for report in reports
    ]
    return [name for name in facts[0] if any(fact[name] != facts[0][name] for fact in facts)]


def _mean(report: Report, key: str) -> Cell | None:
    score = report.summary.get(key)
    if score is None:
        return None
    saturated = score.auc is None and score.layers_saturated > 0
    return Cell(score.auc, score.auc_low, score.auc_high, saturated)


def _row(layers: Sequence[Layer | None], keys: Sequence[str]) -> Row:
    widths = (width(layer) for layer in layers if layer is not None)
    scores = {key: _against_first([_score(layer, key) for layer in layers]) for key in keys}
    return Row(
        width=next((found for found in widths if found is not None), None),
        tensors=tuple(None if layer is None else layer.tensor for layer in layers),
        scores=scores,
    )


def _score(layer: Layer | None, key: str) -> Cell | None:
    curve = None if layer is None else curve_of(layer, key)
    if curve is None:
        return None
    return Cell(curve.auc, curve.auc_low, curve.auc_high, curve.saturated)


def _against_first(cells: Sequence[Cell | None]) -> tuple[Cell | None, ...]:
    first = cells[0]
    return (first, *(cell and _difference(first, cell) for cell in cells[1:]))


def _difference(first: Cell | None, cell: Cell) -> Cell:
    if first is None or first.saturated or cell.saturated or None in (first.auc, cell.auc):
        return cell
    low, high = (first.auc_low or 0.0, first.auc_high or 0.0)
    return replace(
        cell,
        difference=(cell.auc or 0.0) - (first.auc or 0.0),
        apart=(cell.auc_low or 0.0) > high or (cell.auc_high or 0.0) < low,
    )


def width(layer: Layer) -> int | None:
    """Return how many features a layer has, None where it is not known."""
    if layer.shape is None or layer.feature_axis is None:
        return None
    if not -len(layer.shape) <= layer.feature_axis < len(layer.shape):
        return None
    return layer.shape[layer.feature_axis]


def match_layers(models: Sequence[Sequence[Layer]]) -> list[tuple[Layer | None, ...]]:
    """Return rows of layers that correspond: in order, and of equal width.

    Each model is aligned with the first so that as many layers as possible find a partner.
    Layers without one have rows of their own at the end.
    """
    first, others = models[0], models[1:]
    partners = [dict(_align(list(map(width, first)), list(map(width, one)))) for one in others]
    rows: list[tuple[Layer | None, ...]] = [
        (
            layer,
            *(
                one[found[place]] if place in found else None
                for one, found in zip(others, partners, strict=True)
            ),
        )
        for place, layer in enumerate(first)
    ]
    for number, (one, found) in enumerate(zip(others, partners, strict=True), start=1):
        for place, layer in enumerate(one):
            if place not in found.values():
                rows.append(_alone(layer, number, len(models)))
    return rows


def _alone(layer: Layer, place: int, count: int) -> tuple[Layer | None, ...]:
    return tuple(layer if index == place else None for index in range(count))


def _align(one: Sequence[int | None], other: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return the positions of a longest common subsequence; an unknown width fits any.

    Source: Wagner & Fischer (1974), The string-to-string correction problem.
    """
    best = np.zeros((len(one) + 1, len(other) + 1), np.int64)
    for i in reversed(range(len(one))):
        for j in reversed(range(len(other))):
            together = 1 + best[i + 1, j + 1] if _fit(one[i], other[j]) else 0
            best[i, j] = max(together, best[i + 1, j], best[i, j + 1])
    pairs, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        if _fit(one[i], other[j]) and best[i, j] == 1 + best[i + 1, j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _fit(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


def with_common_labels(
    path: str | Path, arrays: Mapping[str, np.ndarray], settings: Settings
) -> tuple[dict[str, np.ndarray], Settings]:
    """Return data and settings that give all models the same batches.

    Data without labels are grouped by what the model at `path` predicts, and every model is
    measured by its fidelity to its own predictions.

    Raises:
        DataError: labels are missing and the metric needs them, or the samples are too few.
        OnnxmemError: the model cannot be run, see `onnxmem.errors`.
    """
    if "y" in arrays:
        return dict(arrays), settings
    if settings.metric == "top1":
        raise DataError("--metric top1 needs labels: give an array 'y', or use --metric fidelity")
    model = graph.load(path, dict(settings.bind))
    device = select_device(settings.device)
    model = graph.widen(model)
    everything = {name: array for name, array in arrays.items() if name != "split"}
    samples = make_samples(everything, model.inputs)
    with (
        device.scope(),
        prepare(model, samples.inputs, samples.shared, device, settings) as network,
    ):
        whole = network.session(graph.expose(network.model, []))
        labels = predictions(network, whole, samples.inputs, network.feeds(samples.shared))
    return {**arrays, "y": labels}, replace(settings, metric="fidelity")
