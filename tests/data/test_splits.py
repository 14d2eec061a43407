"""Which names of splits mean what, and which samples are taken."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.data import held_out_samples, make_samples, split_names
from onnxmem.data.splits import HELD_OUT, TRAIN, plain_name
from onnxmem.errors import DataError
from tests.data.test_samples import Spec, X, Y


@pytest.mark.parametrize("name", ["train", "Train", "TRAIN", "train_set", "TrainSet", "Training"])
def test_names_of_what_a_network_was_trained_on(name: str) -> None:
    assert plain_name(name) in TRAIN


@pytest.mark.parametrize(
    "name",
    ["test", "Test", "TEST", "VAL", "val_set", "test_set", "holdout", "Hold-out", "held-out",
     "heldout", "Validation", "dev set"],
)  # fmt: skip
def test_names_of_what_it_was_not(name: str) -> None:
    assert plain_name(name) in HELD_OUT


@pytest.mark.parametrize("name", ["sunset", "set", "trainer", "contest"])
def test_other_names_are_no_splits(name: str) -> None:
    assert plain_name(name) not in TRAIN | HELD_OUT


SPLIT = ["Train", "Test", "Train", "holdout"]


@pytest.mark.parametrize(
    "split", [np.array(SPLIT), np.array(SPLIT, "S"), np.array([s.encode() for s in SPLIT], object)]
)
def test_splits_are_told_in_any_case_as_text_and_as_bytes(split: np.ndarray) -> None:
    arrays = {"x": X, "y": Y, "split": split}
    samples = make_samples(arrays, [Spec()])
    np.testing.assert_array_equal(samples.inputs["x"], X[[0, 2]])
    held_out = held_out_samples(arrays, [Spec()])
    assert held_out is not None
    np.testing.assert_array_equal(held_out.inputs["x"], X[[1, 3]])
    assert split_names(arrays) == {"train", "test", "holdout"}


def test_the_very_name_goes_before_what_is_alike() -> None:
    arrays = {"x": X, "split": np.array(["train", "Train", "train", "Train"])}
    assert len(make_samples(arrays, [Spec()], "Train")) == 2
    assert len(make_samples(arrays, [Spec()])) == 4


@pytest.mark.parametrize("name", ["split", "id"])
@pytest.mark.parametrize(
    "column",
    [np.array(["2026-01-01"] * 4, "datetime64[D]"), np.array(["a", None, "b", "c"], object),
     np.array([b"\xff"] * 4), np.ones(4, complex)],
)  # fmt: skip
def test_names_that_are_none_are_an_error_that_names_the_array(
    name: str, column: np.ndarray
) -> None:
    with pytest.raises(DataError, match=f"array '{name}'"):
        make_samples({"x": X, name: column}, [Spec()])
