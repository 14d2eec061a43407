"""Neighbours vote: near ones more, copies once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onnxmem.evidence.votes import Labels, count_votes, weigh
from onnxmem.neighbours import Nearest

COSINES = arrays.arrays(np.float32, (5, 20), elements=st.floats(-1, 1, width=32))


@given(COSINES)
def test_weights_are_shares_that_fall_with_distance(cosine: np.ndarray) -> None:
    weights = weigh(np.sort(cosine)[:, ::-1])
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (np.diff(weights, axis=1) <= 1e-12).all()


def test_the_weight_is_the_formula() -> None:
    cosine = np.array([[0.99, 0.5, 0.0]], np.float32)
    distance = np.sqrt(1 - cosine.astype(np.float64))
    expected = np.exp(-((distance / distance.mean()) ** 2))
    np.testing.assert_allclose(weigh(cosine), expected / expected.sum())


def test_copies_weigh_the_same() -> None:
    np.testing.assert_array_equal(weigh(np.ones((2, 4), np.float32)), np.full((2, 4), 0.25))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=40))
def test_labels_of_a_content_are_those_of_its_copies(pairs: list[tuple[int, int]]) -> None:
    owners, labels = np.array(pairs).T
    known, contents = np.unique(owners, return_inverse=True)
    found = Labels.of(contents, labels, 3)
    rows = np.arange(len(known))[::-1]
    who, what, share = found.spread(rows)
    for place, content in enumerate(rows):
        mine = {int(k): float(s) for k, s in zip(what[who == place], share[who == place])}  # noqa: B905
        given = labels[contents == content]
        assert mine == pytest.approx({int(k): float((given == k).mean()) for k in np.unique(given)})


def test_votes_are_the_weights_on_each_class() -> None:
    rng = np.random.default_rng(0)
    nearest = Nearest(
        rng.integers(0, 30, (7, 20)).astype(np.int32), rng.random((7, 20), np.float32)
    )
    labels = np.arange(30) % 4
    votes = count_votes(nearest, Labels.of(np.arange(30), labels, 4))
    weights = weigh(nearest.cosine)
    expected = [
        [weights[q][labels[nearest.rows[q]] == c].sum() for c in range(4)] for q in range(7)
    ]
    np.testing.assert_allclose(votes, expected, atol=1e-6)


def test_a_content_with_two_labels_shares_its_vote() -> None:
    labels = Labels.of(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2]), 3)
    nearest = Nearest(np.array([[0, 1]], np.int32), np.array([[0.5, 0.5]], np.float32))
    np.testing.assert_allclose(count_votes(nearest, labels), [[1 / 3, 1 / 6, 1 / 2]], atol=1e-6)
