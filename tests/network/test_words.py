"""Words are counted, not taken for numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.network.padding import Padding
from onnxmem.network.words import Words

TEXTS = st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=5).map(
    np.array
)


@given(TEXTS)
def test_each_word_counts_as_often_as_it_stands_there(texts: np.ndarray) -> None:
    found = np.expm1(Words("ids", 10).counts({"ids": texts}, None))
    expected = [[np.sum(text == word) for word in range(10)] for text in texts]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@given(TEXTS)
def test_the_order_of_words_plays_no_part(texts: np.ndarray) -> None:
    words = Words("ids", 10)
    turned = words.counts({"ids": texts[:, ::-1]}, None)
    np.testing.assert_array_equal(words.counts({"ids": texts}, None), turned)


def test_padded_words_do_not_count() -> None:
    inputs = {"ids": np.array([[3, 4, 0, 0]]), "mask": np.array([[1, 1, 0, 0]])}
    found = Words("ids", 10).counts(inputs, Padding("mask"))
    assert np.flatnonzero(found[0]).tolist() == [3, 4]
