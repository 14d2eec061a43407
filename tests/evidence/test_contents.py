"""Copies stand together, whatever the order of the data."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.data import Samples, make_samples
from onnxmem.evidence.contents import Contents, draw_references


class Spec:
    name, dtype, shape = "x", "float32", (None, 2)


def samples(values: list[int], labels: list[int]) -> Samples:
    x = np.array(values, np.float32)[:, None] * np.ones(2, np.float32)
    return make_samples({"x": x, "y": np.array(labels)}, [Spec()])


def test_copies_have_one_content_whatever_their_labels() -> None:
    contents = Contents.among(samples([5, 7, 5, 9, 5], [0, 1, 0, 1, 1]))
    of = dict(zip(contents.order.tolist(), contents.of.tolist(), strict=True))
    assert of[0] == of[2] == of[4]
    assert len({of[0], of[1], of[3]}) == len(contents.rows) == 3
    assert contents.copies == 2


def test_the_order_of_the_data_plays_no_part() -> None:
    values, labels = list(range(20)), [0, 1] * 10
    straight = Contents.among(samples(values, labels))
    turned = Contents.among(samples(values[::-1], labels[::-1]))
    np.testing.assert_array_equal(straight.hashes, turned.hashes)
    np.testing.assert_array_equal(straight.order, 19 - turned.order)


def test_other_samples_are_found_among_them() -> None:
    contents = Contents.among(samples([1, 2, 3], [0, 0, 1]))
    others = Contents.among(samples([3, 8], [1, 1]))
    places = contents.places(others.hashes)
    assert sorted((places >= 0).tolist()) == [False, True]
    assert contents.hashes[places[places >= 0][0]] in others.hashes


@pytest.mark.parametrize("most", [10, 25, 99])
def test_a_share_of_each_class_is_drawn_from_too_many(most: int) -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    labels = np.random.default_rng(0).permutation(labels)
    chosen = draw_references(labels, most)
    counts = np.bincount(labels[chosen], minlength=3)
    assert abs(len(chosen) - most) <= 3
    np.testing.assert_allclose(counts / len(chosen), [0.6, 0.3, 0.1], atol=0.1)
    assert (np.diff(chosen) > 0).all()


def test_few_are_all_taken_and_a_rare_class_never_vanishes() -> None:
    np.testing.assert_array_equal(draw_references(np.zeros(5, int), 5), np.arange(5))
    labels = np.array([0] * 999 + [1])
    assert 999 in draw_references(labels, 100)
