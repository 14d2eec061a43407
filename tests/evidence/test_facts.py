"""How far down a label stands among the votes."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.evidence.facts import early_layers, levels, margins, own_votes, rival_votes

VOTES = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2]], np.float32)


def test_margin_is_what_another_label_leads_by() -> None:
    labels = np.array([0, 2, 1])
    np.testing.assert_allclose(own_votes(VOTES, labels), [0.5, 0.1, 0.4])
    np.testing.assert_allclose(rival_votes(VOTES, labels), [0.3, 0.8, 0.4])
    np.testing.assert_allclose(margins(VOTES, labels), [-0.2, 0.7, 0.0], atol=1e-7)


def test_levels_of_random_labels_are_uniform_also_where_votes_are_tied() -> None:
    rng = np.random.default_rng(0)
    votes = rng.integers(0, 3, (20_000, 10)).astype(np.float32)
    found = np.sort(levels(votes, rng.integers(10, size=20_000), 0))
    np.testing.assert_allclose(found, np.linspace(0, 1, 20_000), atol=0.02)


def test_the_label_of_most_votes_stands_at_the_top() -> None:
    assert (levels(VOTES[:2], np.array([0, 1]), 0) < 1 / 3).all()
    assert (levels(VOTES[:1], np.array([2]), 0) > 2 / 3).all()


@pytest.mark.parametrize(("count", "early"), [(1, 1), (2, 1), (3, 2), (4, 2), (10, 5)])
def test_early_are_the_input_and_half_of_the_layers(count: int, early: int) -> None:
    assert early_layers(count) == early
