"""Correlations are those of SciPy, and None where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from onnxmem.figures.statistics import pearson, spearman


def test_they_are_those_of_scipy_with_ties() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 20).tolist(), rng.normal(size=20).tolist()
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)


@pytest.mark.parametrize(("x", "y"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3])])
def test_there_is_none_of_two_points_or_of_a_constant(x: list[float], y: list[float]) -> None:
    assert pearson(x, y) is None
    assert spearman(x, y) is None
