"""What labels mean to a network, and which other labels it seems to know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from onnxmem.data import Samples
from onnxmem.errors import DataError
from onnxmem.network.labelling import read_labels, suspicion

TRUE = np.tile(np.arange(4), 30)


def nameless(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return digests of samples that nobody tells apart."""
    return np.empty(count, "S32"), np.empty(count, "S32")


def read(labels: np.ndarray, form: str = "linear", width: int = 4, names: Any = ()) -> Any:
    """Read labels of a network that predicts `TRUE`."""
    samples = Samples({}, {}, labels, *nameless(len(labels)), names=tuple(names))
    network: Any = SimpleNamespace(form=form, output="logits")
    return read_labels(network, samples, labels, TRUE, width)


def test_labels_that_fit_are_taken_as_they_are() -> None:
    labelling = read(TRUE)
    np.testing.assert_array_equal(labelling.truth, TRUE)
    assert (labelling.note, labelling.suspicion) == ("", "")


def test_minus_one_and_one_are_the_two_classes_of_scores() -> None:
    signs = np.where(TRUE > 1, 1, -1)
    for width in (1, 2):
        labelling = read(signs, width=width)
        np.testing.assert_array_equal(labelling.truth, signs > 0)
        assert "-1 and 1" in labelling.note
    with pytest.raises(DataError, match="negative"):
        read(signs, width=3)


def test_network_that_gives_labels_has_labels_of_its_own() -> None:
    signs = np.where(TRUE > 1, 1, -1)
    np.testing.assert_array_equal(read(signs, form="labels", width=1).truth, signs)


def test_names_need_as_many_classes_as_the_network_has() -> None:
    assert "a = 0, b = 1" in read(TRUE, names="abcd").note
    with pytest.raises(DataError, match=r"3 different names.* 4 classes.*--class-names"):
        read(TRUE % 3, names="abc")


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (TRUE + 1, r"label 4 is out of range.*accuracy is 1\.000 .* one lower: save y - 1"),
        (TRUE - 1, r"negative, there is -1; accuracy is 1\.000 .* one higher: save y \+ 1"),
        (np.where(np.arange(120) == 3, 9, TRUE), r"label 9 is out of range.*counted from 0$"),
    ],
)
def test_labels_out_of_range_say_which_would_fit(labels: np.ndarray, match: str) -> None:
    with pytest.raises(DataError, match=match):
        read(labels)


def test_classes_in_another_order_are_recognized() -> None:
    noisy = np.where(np.arange(120) % 10 == 0, 0, TRUE)
    found = suspicion(np.array([2, 3, 1, 0])[TRUE], noisy)
    assert "another order" in found
    assert "labels 0 as 3, 1 as 2, 2 as 0, 3 as 1" in found


@pytest.mark.parametrize(("step", "match"), [(-1, "save y - 1"), (0, "another order")])
def test_another_order_hides_no_shift_and_a_shift_of_some_hides_no_other_order(
    step: int, match: str
) -> None:
    truth = np.arange(200) % 10
    mistaken = truth + 1 if step else (3 * truth + 1) % 10  # of which 0, 5 are one higher
    assert (mistaken == truth + 1).mean() >= 0.2
    assert match in suspicion(mistaken, truth)


@pytest.mark.parametrize("seed", range(5))
def test_labels_at_random_rouse_no_suspicion(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert not suspicion(rng.integers(0, 10, 300), rng.integers(0, 10, 300))
    assert not suspicion(rng.integers(0, 2, 60), rng.integers(0, 2, 60))
    assert not suspicion(np.repeat(np.arange(10), 30), np.zeros(300, np.int64))


def test_without_labels_the_predictions_are_true_and_that_is_said() -> None:
    samples = Samples({}, {}, None, *nameless(len(TRUE)))
    network: Any = SimpleNamespace(form="linear", output="logits")
    labelling = read_labels(network, samples, TRUE, TRUE, 4)
    np.testing.assert_array_equal(labelling.truth, TRUE)
    assert "no labels 'y' were given" in labelling.note
    assert "fidelity" in labelling.note


def test_one_value_that_is_no_probability_may_be_a_regression() -> None:
    two = TRUE % 2
    assert "below and above 0; where it is a regression" in read(two, width=1).note
    assert not read(two, form="sigmoid", width=1).note
    assert not read(two, form="labels", width=1).note
    assert not read(two, width=2).note
    with pytest.raises(DataError, match=r"label 3 is out of range.*regression"):
        read(TRUE, width=1)
    with pytest.raises(DataError, match=r"3 different names.*regression"):
        read(TRUE % 3, names="abc", width=1)
