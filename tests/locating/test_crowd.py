"""Suspects and others: drawn by content, run in pieces of one size."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.data import make_samples
from onnxmem.graph import TensorSpec
from onnxmem.locating.crowd import Crowd, Pieces, choose

SPECS = (TensorSpec("x", "float32", (None, 3)),)


def test_the_order_of_the_data_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 3)).astype(np.float32), np.arange(40) % 4
    suspect = np.arange(40) % 3 == 0
    order = rng.permutation(40)
    one = choose(make_samples({"x": x, "y": y}, SPECS), suspect, y, 5)
    other = choose(make_samples({"x": x[order], "y": y[order]}, SPECS), suspect[order], y[order], 5)
    assert np.array_equal(one.rows, order[other.rows])
    assert one.suspect.tolist() == [True] * 5 + [False] * 5
    assert np.array_equal(one.labels, y[one.rows])


def test_means_are_of_others_and_of_suspects() -> None:
    crowd = Crowd(np.arange(4), np.array([True, False, False, True]), np.zeros(4, np.int64))
    assert crowd.means(np.array([1.0, 0.0, 0.5, 0.0])) == (0.25, 0.5)
    alone = Crowd(np.arange(2), np.ones(2, bool), np.zeros(2, np.int64))
    assert alone.means(np.array([1.0, 0.0])) == (None, 0.5)


@pytest.mark.parametrize(("count", "size"), [(10, 4), (8, 4), (3, 4), (1, 1), (5, 5)])
def test_every_row_is_once_among_what_pieces_keep(count: int, size: int) -> None:
    pieces, found = Pieces(np.arange(100, 100 + count), size), np.zeros(count, int)
    for number in range(len(pieces)):
        rows, (place, skipped) = pieces.rows_of(number), pieces.place(number)
        assert len(rows) == size
        found[place] += rows[skipped : skipped + place.stop - place.start]
    assert found.tolist() == list(range(100, 100 + count))
