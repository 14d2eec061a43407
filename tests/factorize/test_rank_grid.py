"""Ranks know how they lie among the others, and beside the exact rank."""

from __future__ import annotations

import pytest

from onnxmem.factorize.rank_grid import RankGrid


def test_octaves_end_at_powers_of_two() -> None:
    grid = RankGrid((1, 2, 3, 4, 6, 8, 9, 30), 100)
    assert grid.octaves == [(1,), (2,), (3, 4), (6, 8), (9,), (30,)]


def test_ranks_that_lie_close_are_followed_by_one_a_little_beyond() -> None:
    assert RankGrid(tuple(range(1, 33)), 100).steps[-2:] == [(32, 32), (35, 32)]


@pytest.mark.parametrize(
    ("ranks", "limit"),
    [((1, 2, 4, 8, 16, 32), 100), (tuple(range(1, 33)), 64), ((5,), 100), ((), 100)],
)
def test_no_rank_beyond_where_ranks_lie_wide_or_the_exact_one_near(
    ranks: tuple[int, ...], limit: int
) -> None:
    assert [rank for rank, _ in RankGrid(ranks, limit).steps] == list(ranks)


def test_lone_rank_has_no_rank_right_above() -> None:
    grid = RankGrid((1, 2, 3, 6, 7), 30)
    assert [rank for rank in grid.ranks if grid.is_lone(rank)] == [3, 7]


def test_lone_ranks_that_are_not_far_below_the_exact_one_may_be_trapped() -> None:
    grid = RankGrid((4, 9, 10, 12, 20, 28, 29), 30)
    assert [rank for rank in grid.ranks if grid.may_be_trapped(rank)] == [10, 12, 20]
