"""Samples that are not run are told by others, exactly where they fare steadily, else unbiased."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.compression import curve
from onnxmem.compression.fates import Fates, halvings
from onnxmem.compression.rank_choice import first_places


def measure(hits: np.ndarray, full: set[int], audited: float, seed: int = 0) -> Fates:
    """Run samples whose fates (levels, draws, samples) are known as a curve does."""
    levels, draws, samples = hits.shape
    fates, rows = Fates(levels, draws, samples, audited, seed), np.arange(samples)
    rounds = chain([sorted(full)], halvings(levels, full))
    for number, places in enumerate(rounds):
        wanted = {place: fates.wanted(place, rows, everyone=number == 0) for place in places}
        for place, draw in ((place, draw) for place in places for draw in range(draws)):
            chosen = np.flatnonzero(wanted[place][draw])
            fates.take(place, draw, chosen, hits[place, draw, chosen])
    return fates


@given(count=st.integers(1, 60), data=st.data())
def test_halvings_come_to_every_place_that_is_not_full_once(
    count: int, data: st.DataObject
) -> None:
    full = {0, count - 1} | data.draw(st.sets(st.integers(0, count - 1)))
    places = list(chain.from_iterable(halvings(count, full)))
    assert sorted(places) == sorted(set(range(count)) - full)


@given(
    turns=st.lists(st.integers(0, 12), min_size=1, max_size=30),
    falling=st.booleans(),
    audited=st.sampled_from([0.0, 0.25, 1.0]),
    full=st.sets(st.integers(0, 11)),
)
def test_samples_that_turn_once_are_told_exactly(
    turns: list[int], falling: bool, audited: float, full: set[int]
) -> None:
    hits = (np.arange(12)[:, None, None] >= np.array(turns)) != falling
    fates = measure(hits, {0, 11} | full, audited)
    assert (fates.complete() == hits).all()
    assert fates.variances(np.full(12, 1 / 12)).any() == (fates.known < 0).any()
    if not audited and not full:
        assert (fates.known >= 0).sum(axis=0).max() <= 2 + 4  # the ends, and halvings of eleven


def test_a_sample_that_fares_alike_at_both_ends_is_not_run_between() -> None:
    fates = measure(np.ones((9, 1, 5), bool), {0, 8}, 0.0)
    assert (fates.known[[0, 8]] == 1).all()
    assert (fates.known[1:8] == -1).all()


def test_the_mean_over_who_is_audited_is_the_true_one_and_its_error_is_told() -> None:
    rng = np.random.default_rng(0)
    ends = rng.random(200) < 0.7
    hits = (rng.random((7, 3, 200)) < np.where(ends, 0.8, 0.3)) & (rng.random((7, 1, 1)) < 2)
    hits[0], hits[-1] = False, ends
    weights = curve.trapezoids(np.linspace(0, 1, 7), "fraction")
    true = weights @ hits.mean(axis=(1, 2))
    found, told = [], []
    for seed in range(200):
        fates = measure(hits, {0, 6}, 0.25, seed)
        found.append(weights @ fates.complete().mean(axis=(1, 2)))
        told.append(fates.variances(weights).sum())
    spread = float(np.std(found))
    assert np.mean(found) == pytest.approx(true, abs=4 * spread / len(found) ** 0.5)
    assert np.mean(told) ** 0.5 == pytest.approx(spread, rel=0.4)


def test_who_is_audited_depends_on_the_seed_and_not_on_who_is_asked_with() -> None:
    hits = np.ones((5, 1, 100), bool)
    together = measure(hits, {0, 4}, 0.5, seed=3).known
    apart = Fates(5, 1, 100, 0.5, 3)
    for rows in np.array_split(np.arange(100), 4):
        for number, places in enumerate(chain([[0, 4]], halvings(5, {0, 4}))):
            for place in places:
                wanted = apart.wanted(place, rows, everyone=number == 0)[0]
                apart.take(place, 0, rows[wanted], np.ones(wanted.sum()))
    assert (apart.known == together).all()
    assert (measure(hits, {0, 4}, 0.5, seed=4).known != together).any()


@pytest.mark.parametrize(("count", "draws", "places"), [(1, 1, (0,)), (2, 1, (0, 1))])
def test_all_samples_are_run_at_the_ends(count: int, draws: int, places: tuple[int, ...]) -> None:
    assert first_places(count, draws) == places


def test_all_samples_are_run_at_the_second_rank_but_not_of_what_is_drawn() -> None:
    assert first_places(12) == (0, 1, 11)
    assert first_places(7, draws=3) == (0, 6)
