"""The choice of samples, and how they are grouped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.data import Selection, draw
from onnxmem.errors import DataError

label_lists = st.lists(st.integers(0, 4), min_size=60, max_size=150).map(np.array)
options = {
    "labels": label_lists,
    "per_class": st.integers(2, 30),
    "seed": st.integers(0, 2**32),
    "multiple": st.integers(1, 5),
}


def digests_of(labels: np.ndarray) -> np.ndarray:
    """Return a distinct digest for each sample, in no order."""
    numbers = np.random.default_rng(9).permutation(len(labels))
    return np.array([f"{number:032x}".encode() for number in numbers])


def choose(labels: np.ndarray, per_class: int, seed: int, multiple: int) -> Selection | None:
    try:
        return draw(labels, digests_of(labels), per_class, seed, multiple)
    except DataError:
        return None


@given(**options)
def test_both_kinds_of_batches_partition_the_same_samples_in_equal_sizes(
    labels: np.ndarray, per_class: int, seed: int, multiple: int
) -> None:
    selection = choose(labels, per_class, seed, multiple)
    if selection is None:
        return
    everything = list(range(len(selection.rows)))
    assert len(set(selection.rows)) == len(selection.rows)
    for kind in ("class", "mixed"):
        rows = np.concatenate([batch.rows for batch in selection.batches(kind)])
        assert sorted(rows) == everything
    sizes = [len(batch.rows) for batch in selection.single]
    assert [len(batch.rows) for batch in selection.mixed] == sizes
    assert all(size % multiple == 0 for size in sizes)
    assert max(sizes) <= max(per_class, multiple)


@given(**options)
def test_single_class_batches_hold_their_class(
    labels: np.ndarray, per_class: int, seed: int, multiple: int
) -> None:
    selection = choose(labels, per_class, seed, multiple)
    if selection is None:
        return
    np.testing.assert_array_equal(labels[selection.rows], selection.labels)
    for batch in selection.single:
        assert set(selection.labels[batch.rows]) == {batch.label}
    used = {batch.label for batch in selection.single}
    assert used | set(selection.left_out) == set(labels.tolist())
    assert not used & set(selection.left_out)


@given(**options, shuffle=st.integers(0, 2**32))
def test_choice_does_not_depend_on_the_order_of_the_samples(
    labels: np.ndarray, per_class: int, seed: int, multiple: int, shuffle: int
) -> None:
    selection = choose(labels, per_class, seed, multiple)
    if selection is None:
        return
    digests, order = digests_of(labels), np.random.default_rng(shuffle).permutation(len(labels))
    other = draw(labels[order], digests[order], per_class, seed, multiple)
    np.testing.assert_array_equal(digests[selection.rows], digests[order][other.rows])
    for one, two in zip(
        (*selection.single, *selection.mixed), (*other.single, *other.mixed), strict=True
    ):
        assert one.label == two.label
        np.testing.assert_array_equal(one.rows, two.rows)


def test_mixed_batches_hold_every_class() -> None:
    labels = np.repeat(np.arange(5), 30)
    selection = draw(labels, digests_of(labels), 30, seed=0)
    for batch in selection.mixed:
        assert len(set(selection.labels[batch.rows])) == 5


def test_another_seed_chooses_other_samples() -> None:
    labels = np.repeat(np.arange(2), 50)
    one, other = (draw(labels, digests_of(labels), 20, seed=seed) for seed in (0, 1))
    assert set(one.rows) != set(other.rows)


def test_small_classes_are_left_out_and_named() -> None:
    labels = np.repeat([0, 3, 7], [30, 9, 10])
    selection = draw(labels, digests_of(labels), 30, seed=0)
    assert selection.left_out == (3,)
    assert [len(batch.rows) for batch in selection.single] == [30, 10]


def test_small_classes_suffice_where_few_are_asked_for() -> None:
    labels = np.repeat([0, 1], [30, 5])
    assert draw(labels, digests_of(labels), 5, seed=0).left_out == ()


def test_no_class_with_enough_samples() -> None:
    labels = np.repeat([0, 1], [9, 8])
    with pytest.raises(DataError, match="largest class has 9, a batch needs at least 10"):
        draw(labels, digests_of(labels), 30, seed=0)


def test_a_fingerprint_tells_other_samples_and_other_batches() -> None:
    labels = np.repeat([0, 1], 20)
    digests = digests_of(labels)
    order = np.random.default_rng(1).permutation(len(labels))
    whole = draw(labels, digests, 10, 0)
    again = draw(labels[order], digests[order], 10, 0)
    assert whole.fingerprint(digests) == again.fingerprint(digests[order])
    others = [
        draw(labels, digests, 10, 1),
        draw(labels, digests, 9, 0),
        draw(1 - labels, digests, 10, 0),
    ]
    found = {one.fingerprint(digests) for one in others}
    assert len(found) == 3
    assert whole.fingerprint(digests) not in found
