"""Areas, intervals and saturation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.compression import curve
from onnxmem.factorize import default_ranks

accuracies = st.floats(0, 1)
grids = st.integers(1, 400).map(default_ranks)
X_NAMES = st.sampled_from(["rank", "fraction"])


@given(grid=grids, value=accuracies, x_name=X_NAMES)
def test_area_of_a_constant_curve_is_the_constant(
    grid: tuple[int, ...], value: float, x_name: curve.XName
) -> None:
    assert curve.area(grid, [value] * len(grid), x_name) == pytest.approx(value)


@given(grid=grids, x_name=X_NAMES, data=st.data())
def test_area_lies_between_the_lowest_and_the_highest_accuracy(
    grid: tuple[int, ...], x_name: curve.XName, data: st.DataObject
) -> None:
    values = data.draw(st.lists(accuracies, min_size=len(grid), max_size=len(grid)))
    area = float(curve.area(grid, values, x_name))
    assert min(values) - 1e-12 <= area <= max(values) + 1e-12


def test_area_does_not_pass_one_by_rounding() -> None:
    areas = curve.area([1, 2, 3, 6], np.ones((5, 4)) * (1 + 1e-15), "rank")
    assert areas.max() == 1


def test_area_over_ranks_is_taken_over_their_logarithm() -> None:
    assert curve.area([1, 2, 4], [0, 0, 1], "rank") == pytest.approx(0.25)
    assert curve.area([1, 2, 4], [0, 0, 1], "fraction") == pytest.approx(1 / 3)


def test_area_of_several_curves_at_once() -> None:
    areas = curve.area([1, 2], np.array([[0, 1], [1, 1]]), "rank")
    np.testing.assert_allclose(areas, [0.5, 1])


@pytest.mark.parametrize(
    ("auc", "baseline", "saturated"),
    [
        (1.0, 1.0, True),
        (0.992, 1.0, True),
        (0.98, 1.0, False),
        (0.80, 0.80, True),
        (0.78, 0.80, False),
        (0.81, 0.80, True),
    ],
)
def test_saturated_at_the_ceiling(auc: float, baseline: float, saturated: bool) -> None:
    assert curve.is_saturated(auc, baseline) is saturated


sizes = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def groups_of(counts: list[int]) -> list[np.ndarray]:
    return np.split(np.random.default_rng(0).permutation(sum(counts)), np.cumsum(counts)[:-1])


@given(counts=sizes, seed=st.integers(0, 2**40))
def test_weights_of_a_resample_sum_to_one(counts: list[int], seed: int) -> None:
    weights = curve.resample(groups_of(counts), seed, draws=20)
    assert weights.shape == (20, sum(counts))
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_resamples_are_fixed_by_their_seed() -> None:
    groups = groups_of([4, 5, 6])
    np.testing.assert_array_equal(curve.resample(groups, 3), curve.resample(groups, 3))
    assert (curve.resample(groups, 3) != curve.resample(groups, 4)).any()


def test_resamples_agree_with_the_mean_on_average() -> None:
    weights = curve.resample(groups_of([10] * 8), seed=1, draws=4000)
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 80, atol=2e-3)


def test_batches_that_differ_widen_the_interval() -> None:
    groups = np.split(np.arange(200), 10)
    alike, apart = np.tile([0.0, 1.0], 100), np.repeat([0.0, 1.0], 100)
    weights = curve.resample(groups, seed=0)
    low, high = curve.interval(weights @ alike)
    wide_low, wide_high = curve.interval(weights @ apart)
    assert low <= 0.5 <= high
    assert wide_high - wide_low > 1.5 * (high - low)


def test_interval_holds_95_percent() -> None:
    assert curve.interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))


@given(st.lists(st.floats(0, 1), max_size=50))
def test_packed_numbers_come_back(values: list[float]) -> None:
    found = curve.unpack(curve.pack(np.array(values)))
    assert found == pytest.approx(values, abs=1e-5)


@pytest.mark.parametrize("text", ["?", "AAAA", "AA", "é"])
def test_what_was_not_packed_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy's own, or base64's
        curve.unpack(text)


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_redrawn_means_vary_as_means_do(count: int) -> None:
    values = np.random.default_rng(1).standard_normal(count)
    weights = curve.redraw(count, 0, draws=20_000)
    means = weights @ values
    assert weights.sum(axis=1) == pytest.approx(np.ones(20_000))
    expected = values.var(ddof=1) / count if count > 1 else 0.0
    assert means.var() == pytest.approx(expected, rel=0.05)
