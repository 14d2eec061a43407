"""Ranks are chosen until the area under the curve is known, and what they miss is bounded."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onnxmem.compression import curve
from onnxmem.compression.rank_choice import choose_ranks, left_out
from onnxmem.factorize import default_ranks

accuracies = st.floats(0, 1)
grids = st.integers(1, 400).map(default_ranks)


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
    ranks, bound = choose_ranks(grid, [1] * len(probe.curves), probe)
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
    ranks, bound = choose_ranks(grid, [1] * len(probe.curves), probe)
    assert ranks == sorted(probe.asked)
    assert set(probe.asked.values()) == {1}
    assert 0 <= bound <= 0.01


@pytest.mark.parametrize("middle", [0.0, 0.9])
def test_curve_that_leaves_its_rectangle_is_measured_everywhere(middle: float) -> None:
    grid = default_ranks(64)
    values = [0.2] + [middle] * (len(grid) - 2) + [0.6]
    probe = Probe(grid, values)
    assert choose_ranks(grid, [1] * len(probe.curves), probe) == (list(grid), 0.0)
    assert probe.asked == Counter(grid)


def test_falling_curve_is_measured_everywhere() -> None:
    grid = default_ranks(64)
    probe = Probe(grid, list(np.linspace(0.9, 0.1, len(grid))))
    assert choose_ranks(grid, [1] * len(probe.curves), probe) == (list(grid), 0.0)


def test_level_curve_needs_few_ranks_and_a_dip_that_is_seen_needs_all() -> None:
    grid = default_ranks(128)
    level = [1.0] * len(grid)
    ranks, bound = choose_ranks(grid, [1], Probe(grid, level))
    assert ranks == [1, 4, 12, 128]
    assert bound == 0
    dip = list(level)
    dip[grid.index(ranks[1])] = 0.3
    assert choose_ranks(grid, [1], Probe(grid, dip)) == (list(grid), 0.0)


def test_batch_that_falls_makes_the_bound_wider_by_its_fall() -> None:
    grid = default_ranks(128)
    steady = [1.0] * len(grid)
    uneven = list(steady)
    uneven[grid.index(4)] = 0.9
    ranks, bound = choose_ranks(grid, [99, 1], Probe(grid, steady, uneven))
    assert ranks == [1, 4, 12, 128]
    first = curve.area([1, 2, 3, 4], [1.0, 1.0, 1.0, 0.9], "rank") - 0.95
    second = 0.95 - curve.area([4, 6, 8, 12], [0.9, 0.8, 0.8, 1.0], "rank")
    high = [rank for rank in grid if rank >= 12]
    third = 1 - curve.area(high, [1.0, *[0.9] * (len(high) - 2), 1.0], "rank")
    widths = np.diff(np.log2(ranks))
    assert bound == pytest.approx(0.01 * float([first, second, third] @ widths) / 7)


@given(grid=grids, data=st.data())
def test_left_out_ranks_move_the_area_by_no_more_than_the_bound_and_may_reach_it(
    grid: tuple[int, ...], data: st.DataObject
) -> None:
    first, last, fall = (data.draw(st.floats(0, 1)) for _ in range(3))
    first = min(first, last + fall)
    ends, known = np.array([[first], [last]]), [0, len(grid) - 1]
    if len(grid) == 1:
        ends, known = ends[:1], known[:1]
    bound = left_out(grid, known, ends, np.array([fall])).sum()
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
    ranks, bound = choose_ranks(grid, [1, 1], probe, tolerance=0.05)
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
    ranks, bound = choose_ranks(grid, [1, 1, 1], probe)
    refined = curve.area(ranks, [probe.mean(k) for k in ranks], "rank")
    whole = curve.area(grid, [probe.mean(k) for k in grid], "rank")
    assert abs(refined - whole) <= bound + 1e-9


def test_grid_of_one_rank() -> None:
    assert choose_ranks([1], [1], Probe((1,), [0.5])) == ([1], 0.0)
