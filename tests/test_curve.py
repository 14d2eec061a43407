"""Areas, intervals, saturation, and the adaptive choice of ranks."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onnxmem import curve
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


class Probe:
    """Measures known curves, and counts how often each rank is asked for."""

    def __init__(self, grid: tuple[int, ...], *curves: list[float]) -> None:
        self.curves = [dict(zip(grid, values, strict=True)) for values in curves]
        self.asked: Counter[int] = Counter()

    def __call__(self, rank: int) -> np.ndarray:
        self.asked[rank] += 1
        return np.array([one[rank] for one in self.curves])

    def mean(self, rank: int) -> float:
        return float(np.mean([one[rank] for one in self.curves]))


@given(grid=grids, data=st.data())
def test_refined_area_is_within_its_bound_and_each_rank_is_measured_once(
    grid: tuple[int, ...], data: st.DataObject
) -> None:
    values = sorted(data.draw(st.lists(accuracies, min_size=len(grid), max_size=len(grid))))
    probe = Probe(grid, values)
    ranks, bound = curve.refine(grid, [1] * len(probe.curves), probe)
    assert ranks == sorted(probe.asked)
    assert set(probe.asked.values()) == {1}
    assert {grid[0], grid[-1]} <= set(ranks) <= set(grid)
    assert 0 <= bound <= 0.005
    refined = curve.area(ranks, [probe.mean(k) for k in ranks], "rank")
    assert abs(refined - curve.area(grid, values, "rank")) <= bound + 1e-9


@given(grid=grids, data=st.data())
def test_any_curve_is_measured_once_at_each_chosen_rank(
    grid: tuple[int, ...], data: st.DataObject
) -> None:
    values = data.draw(st.lists(accuracies, min_size=len(grid), max_size=len(grid)))
    probe = Probe(grid, values)
    ranks, bound = curve.refine(grid, [1] * len(probe.curves), probe)
    assert ranks == sorted(probe.asked)
    assert set(probe.asked.values()) == {1}
    assert 0 <= bound <= 0.01


@pytest.mark.parametrize("middle", [0.0, 0.9])
def test_curve_that_leaves_its_rectangle_is_measured_everywhere(middle: float) -> None:
    grid = default_ranks(64)
    values = [0.2] + [middle] * (len(grid) - 2) + [0.6]
    probe = Probe(grid, values)
    assert curve.refine(grid, [1] * len(probe.curves), probe) == (list(grid), 0.0)
    assert probe.asked == Counter(grid)


def test_falling_curve_is_measured_everywhere() -> None:
    grid = default_ranks(64)
    probe = Probe(grid, list(np.linspace(0.9, 0.1, len(grid))))
    assert curve.refine(grid, [1] * len(probe.curves), probe) == (list(grid), 0.0)


def test_level_curve_needs_few_ranks_and_a_dip_that_is_seen_needs_all() -> None:
    grid = default_ranks(128)
    level = [1.0] * len(grid)
    ranks, bound = curve.refine(grid, [1], Probe(grid, level))
    assert len(ranks) == 3
    assert bound == 0
    dip = list(level)
    dip[grid.index(ranks[1])] = 0.3
    assert curve.refine(grid, [1], Probe(grid, dip)) == (list(grid), 0.0)


def test_batch_that_falls_makes_the_bound_wider_by_its_fall() -> None:
    grid = default_ranks(128)
    steady = [1.0] * len(grid)
    uneven = list(steady)
    uneven[grid.index(4)] = 0.9
    ranks, bound = curve.refine(grid, [99, 1], Probe(grid, steady, uneven))
    assert ranks == [1, 4, 128]
    first = curve.area([1, 2, 3, 4], [1.0, 1.0, 1.0, 0.9], "rank") - 0.95
    high = [rank for rank in grid if rank >= 4]
    second = 0.95 - curve.area(high, [0.9, *[0.8] * (len(high) - 2), 1.0], "rank")
    assert bound == pytest.approx(0.01 * float(first * 2 + second * 5) / 7)


@given(grid=grids, data=st.data())
def test_left_out_ranks_move_the_area_by_no_more_than_the_bound_and_may_reach_it(
    grid: tuple[int, ...], data: st.DataObject
) -> None:
    first, last, fall = (data.draw(st.floats(0, 1)) for _ in range(3))
    first = min(first, last + fall)
    ends, known = np.array([[first], [last]]), [0, len(grid) - 1]
    if len(grid) == 1:
        ends, known = ends[:1], known[:1]
    bound = curve.left_out(grid, known, ends, np.array([fall])).sum()
    line = curve.area([grid[place] for place in known], ends[:, 0], "rank")
    top, bottom = min(last + fall, 1), max(first - fall, 0)
    moved = []
    for share in (0, data.draw(st.floats(0, 1)), 1):
        values = np.full(len(grid), bottom + share * (top - bottom), np.float64)
        values[known] = ends[:, 0]
        moved.append(abs(curve.area(grid, values, "rank") - line))
    assert max(moved) == pytest.approx(bound)


@given(grid=grids, data=st.data())
def test_area_is_within_the_bound_where_no_batch_falls_further_than_was_seen(
    grid: tuple[int, ...], data: st.DataObject
) -> None:
    count, step = len(grid), data.draw(st.floats(0, 0.1))
    curves = []
    for _ in range(2):
        rising = sorted(data.draw(st.lists(accuracies, min_size=count, max_size=count)))
        drops = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
        curves.append([max(y - step * drop, 0) for y, drop in zip(rising, drops, strict=True)])
    probe = Probe(grid, *curves)
    ranks, bound = curve.refine(grid, [1, 1], probe, tolerance=0.05)
    places = [grid.index(rank) for rank in ranks]
    for one in curves:
        seen = max_fall([one[place] for place in places])
        inside = [one[a : b + 1] for a, b in itertools.pairwise(places)]
        assume(all(max_fall(part) <= seen for part in inside))
    refined = curve.area(ranks, [probe.mean(k) for k in ranks], "rank")
    whole = curve.area(grid, [probe.mean(k) for k in grid], "rank")
    assert abs(refined - whole) <= bound + 1e-9


def max_fall(values: list[float]) -> float:
    """Return how far a curve falls at most from one of its points to any later one."""
    return max((a - b for a, b in itertools.combinations(values, 2)), default=0.0)


@given(grid=grids, data=st.data())
def test_area_of_batches_that_do_not_fall_is_within_the_bound(
    grid: tuple[int, ...], data: st.DataObject
) -> None:
    coarse = st.integers(0, 4).map(lambda n: n / 4)
    curves = [
        sorted(data.draw(st.lists(coarse, min_size=len(grid), max_size=len(grid))))
        for _ in range(3)
    ]
    probe = Probe(grid, *curves)
    ranks, bound = curve.refine(grid, [1, 1, 1], probe)
    refined = curve.area(ranks, [probe.mean(k) for k in ranks], "rank")
    whole = curve.area(grid, [probe.mean(k) for k in grid], "rank")
    assert abs(refined - whole) <= bound + 1e-9


def test_grid_of_one_rank() -> None:
    assert curve.refine([1], [1], Probe((1,), [0.5])) == ([1], 0.0)


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
