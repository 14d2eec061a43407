"""Correlations, with None where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pearson(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return Pearson's r; None of fewer than three points, or where one side does not vary."""
    a, b = np.asarray(x, float), np.asarray(y, float)
    if len(a) < 3 or not a.std() > 0 or not b.std() > 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return Spearman's ρ, ties at their mean rank; None as `pearson` does."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(values: Sequence[float]) -> list[float]:
    array = np.asarray(values, float)
    return [float((array < v).sum() + ((array == v).sum() - 1) / 2) for v in array]


def signed(value: float | None) -> str:
    """Return a correlation as text."""
    return "undefined" if value is None else f"{value:+.2f}"
