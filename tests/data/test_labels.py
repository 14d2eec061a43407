"""Labels that are names, and the numbers that they become."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.data.labels import check_labels, number_names, renumber
from onnxmem.errors import DataError


@given(st.sets(st.text(min_size=1, max_size=4), min_size=1, max_size=9))
def test_names_get_different_numbers_in_an_order_that_does_not_depend_on_theirs(
    names: set[str],
) -> None:
    numbers, by_number = number_names(names)
    assert len(set(numbers.values())) == len(names)
    assert by_number or [numbers[name] for name in sorted(names)] == list(range(len(names)))


@pytest.mark.parametrize(
    ("y", "labels", "names"),
    [
        (np.array([3, -1], np.int8), [3, -1], ()),
        (np.array([[1], [0]]), [1, 0], ()),
        (np.array(["b", "a"]), [1, 0], ("a", "b")),
        (np.array(["b", "a"], object), [1, 0], ("a", "b")),
        (np.array([b"b", b"a"]), [1, 0], ("a", "b")),
        (np.array(["10", "9"]), [10, 9], ()),
        (np.array(["1", "01"]), [1, 0], ("01", "1")),
        (np.array(["-1", "1"]), [0, 1], ("-1", "1")),
    ],
)
def test_labels_of_all_kinds(y: np.ndarray, labels: list[int], names: tuple[str, ...]) -> None:
    found, called = check_labels(y, len(y))
    assert found.dtype == np.int64
    assert (found.tolist(), called) == (labels, names)


@pytest.mark.parametrize(
    "y", [np.array(["a", None], object), np.array([b"\xff", b"a"]), np.array([1.0, 2.0])]
)
def test_what_is_neither_numbers_nor_text_is_refused(y: np.ndarray) -> None:
    with pytest.raises(DataError, match="labels 'y'"):
        check_labels(y, 2)


def test_labels_that_look_the_same_are_one_class() -> None:
    y = np.array([unicodedata.normalize(form, "é") for form in ("NFC", "NFD")] + ["a"])
    labels, names = check_labels(y, 3)
    assert labels.tolist() == [1, 1, 0]
    assert names == ("a", unicodedata.normalize("NFC", "é"))


def test_labels_are_found_in_a_file_of_the_other_normal_form() -> None:
    y = np.array([unicodedata.normalize("NFD", "é")])
    assert renumber(y, {unicodedata.normalize("NFC", "é"): 3}, "names.txt").tolist() == [3]
