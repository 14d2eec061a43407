"""Results as tables: columns by name, and the DataFrame that they make."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from onnxmem import records
from onnxmem.inspecting import Inspected, Inspection

Columns = dict[str, list[Any]]

_OF_LAYERS = ("layer", "tensor", "op", "status")
_OF_CURVES = ("compressor", "batch", "auc", "auc_low", "auc_high", "auc_relative", "saturated")
_OF_MODELS = ("name", "state", "exit_code", "reason", "path", "data")
_OF_CELLS = ("auc", "auc_low", "auc_high", "saturated", "difference", "difference_low",
             "difference_high", "apart")  # fmt: skip


def frame(columns: Mapping[str, Sequence[Any]]) -> Any:
    """Return columns as a DataFrame where pandas is installed, else as arrays by name."""
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        return {name: _array(values) for name, values in columns.items()}
    return pandas.DataFrame(columns)


def _array(values: Sequence[Any]) -> np.ndarray:
    """Return values as an array; where they are tuples of any length, one of objects."""
    if not any(isinstance(value, tuple) for value in values):
        return np.array(values)
    array = np.empty(len(values), object)
    array[:] = values
    return array


def report_columns(report: records.Report) -> Columns:
    """Return a row for each curve of each layer, and one for each layer without any.

    Layers are counted from 1.
    """
    rows = []
    for place, layer in enumerate(report.layers, start=1):
        which = (place, layer.tensor, layer.op, layer.status)
        rows += [
            (*which, *(getattr(curve, name) for name in _OF_CURVES)) for curve in layer.curves
        ] or [(*which, *(None for _ in _OF_CURVES))]
    return _transposed((*_OF_LAYERS, *_OF_CURVES), rows)


def comparison_columns(comparison: records.Comparison) -> Columns:
    """Return a row for each layer, score and model; layer 0 holds the means over the layers."""
    first = [(0, [None] * len(comparison.models), comparison.summary)]
    layers = [(n, row.tensors, row.scores) for n, row in enumerate(comparison.layers, start=1)]
    rows = [
        (place, tensor, model, key, *_cell(cell))
        for place, tensors, scores in [*first, *layers]
        for key, cells in scores.items()
        for model, tensor, cell in zip(comparison.models, tensors, cells, strict=True)
    ]
    return _transposed(("layer", "tensor", "model", "score", *_OF_CELLS), rows)


def _cell(cell: records.Cell | None) -> tuple[Any, ...]:
    return tuple(None if cell is None else getattr(cell, name) for name in _OF_CELLS)


def survey_columns(survey: records.SurveyReport) -> Columns:
    """Return a row for each model; scores and shares that it has not are None."""
    keys = list(dict.fromkeys(key for one in survey.models for key in one.summary))
    rows = [
        (
            *(getattr(one, name) for name in _OF_MODELS),
            None if one.baseline is None else one.baseline.value,
            *_bounds(one.memorized_share),
            *(one.summary[key].auc if key in one.summary else None for key in keys),
        )
        for one in survey.models
    ]
    shares = ("memorized_share", "memorized_low", "memorized_high")
    return _transposed((*_OF_MODELS, "accuracy", *shares, *keys), rows)


def _bounds(share: records.Estimate | None) -> tuple[float | None, ...]:
    return (None, None, None) if share is None else (share.value, share.low, share.high)


def locate_columns(parts: Mapping[str, Iterable[Mapping[str, Any]]]) -> Columns:
    """Return a row for each value of each part, layer and series; layers are counted from 0."""
    names = ("number", "layer", "series", "value")
    rows = [(part, *(row[name] for name in names)) for part in parts for row in parts[part]]
    return _transposed(("part", *names), rows)


def inspection_columns(inspection: Inspection) -> Columns:
    """Return a row for each site: what is told of it, and how many features it has."""
    names = [field.name for field in fields(Inspected)]
    rows = [
        (*(getattr(site, name) for name in names), _features(site)) for site in inspection.sites
    ]
    return _transposed((*names, "features"), rows)


def _features(site: Inspected) -> int | None:
    axis, sizes = site.feature_axis, site.shape
    if axis is None or sizes is None or not -len(sizes) <= axis < len(sizes):
        return None
    return sizes[axis]


def _transposed(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Columns:
    columns: Columns = {name: [] for name in names}
    for row in rows:
        for name, value in zip(names, row, strict=True):
            columns[name].append(value)
    return columns
