"""The nearest references are found exactly, in blocks and groups of whatever size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.evidence.neighbourhood import Block
from onnxmem.neighbours import Nearest, block_size, nearest, search


def directions(rows: int, seed: int = 0, features: int = 6) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, features)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def by_sorting(queries: np.ndarray, references: np.ndarray, count: int, own: np.ndarray) -> set:
    """Return for each query the references of largest cosine, as sorting all of them finds them."""
    products = queries.astype(np.float64) @ references.T.astype(np.float64)
    products[own >= 0, own[own >= 0]] = -2
    return [set(row) for row in np.argsort(-products, axis=1)[:, :count].tolist()]


@given(
    queries=st.integers(1, 40),
    references=st.integers(8, 200),
    count=st.integers(1, 7),
    seed=st.integers(0, 10),
)
def test_they_are_those_that_sorting_finds(
    queries: int, references: int, count: int, seed: int
) -> None:
    asked, known = directions(queries, seed), directions(references, seed + 1)
    found = nearest(asked, known, count)
    assert [set(row) for row in found.rows.tolist()] == by_sorting(
        asked, known, count, np.full(queries, -1)
    )
    assert (np.diff(found.cosine, axis=1) <= 0).all()
    np.testing.assert_allclose(
        found.cosine, np.einsum("qd,qkd->qk", asked, known[found.rows]), atol=1e-6
    )


def test_no_sample_is_its_own_neighbour() -> None:
    known = directions(150)
    own = np.arange(150)
    found = nearest(known, known, 20, own)
    assert not (found.rows == own[:, None]).any()
    assert [set(row) for row in found.rows.tolist()] == by_sorting(known, known, 20, own)


def test_only_some_queries_may_be_among_the_references() -> None:
    known = directions(60)
    found = nearest(known[:2], known, 1, np.array([-1, 1]))
    assert found.rows[0, 0] == 0
    assert found.rows[1, 0] != 1


def test_all_others_may_be_neighbours() -> None:
    found = nearest(directions(5), directions(5), 4, np.arange(5))
    assert [sorted(row) for row in found.rows.tolist()] == [
        [other for other in range(5) if other != one] for one in range(5)
    ]


def test_too_few_references_are_refused() -> None:
    with pytest.raises(ValueError, match="do not have 5"):
        nearest(directions(5), directions(5), 5, np.arange(5))


def test_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    known = directions(700, features=32)

    def find(apply: search.Map = search.one_by_one) -> Nearest:
        return nearest(known, known, 20, np.arange(700), apply)

    whole = find()
    with ThreadPoolExecutor(3) as pool:
        monkeypatch.setattr(search, "_BLOCK", 700 * 100)
        parts = find(lambda function, items: list(pool.map(function, items)))
    np.testing.assert_array_equal(whole.rows, parts.rows)
    np.testing.assert_allclose(whole.cosine, parts.cosine, atol=1e-6)


@pytest.mark.parametrize("count", [1, 3, 50])
def test_parts_of_whole_blocks_give_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(search, "_BLOCK", 2**12)
    references = directions(300, features=33)
    whole, step = nearest(references, references, 5, np.arange(300)), block_size(300, 5)
    assert 1 < step < 100
    parts = [Block(number, count).of(300, step) for number in range(count)]
    assert [row for part in parts for row in range(300)[part]] == list(range(300))
    found = [nearest(references[part], references, 5, np.arange(300)[part]) for part in parts]
    np.testing.assert_array_equal(np.concatenate([one.rows for one in found]), whole.rows)
    np.testing.assert_array_equal(np.concatenate([one.cosine for one in found]), whole.cosine)


def test_equal_ones_are_taken_the_same_way_each_time() -> None:
    alike = np.ones((100, 1), np.float32)
    first, again = (nearest(alike, alike, 20, np.arange(100)) for _ in range(2))
    np.testing.assert_array_equal(first.rows, again.rows)
    assert not (first.rows == np.arange(100)[:, None]).any()


def test_both_libraries_find_the_same(xp: ModuleType) -> None:
    known = directions(300, features=16)
    found = nearest(xp.asarray(known), xp.asarray(known), 10, np.arange(300))
    expected = nearest(known, known, 10, np.arange(300))
    np.testing.assert_array_equal(np.sort(found.rows), np.sort(expected.rows))
    assert isinstance(found.cosine, np.ndarray)
