"""What belongs to which input, what is converted, and what identifies samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from onnxmem.data import held_out_samples, make_samples
from onnxmem.errors import DataError


@dataclass(frozen=True)
class Spec:
    name: str = "x"
    dtype: str | None = "float32"
    shape: tuple[Any, ...] | None = (None, 3)


X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.array([0, 1, 0, 1])


def test_only_input_may_be_called_x() -> None:
    samples = make_samples({"x": X, "y": Y}, [Spec("image")])
    np.testing.assert_array_equal(samples.inputs["image"], X)
    np.testing.assert_array_equal(samples.labels, Y)
    assert len(samples) == 4


def test_own_name_goes_before_x() -> None:
    samples = make_samples({"x": X, "image": X + 1}, [Spec("image")])
    np.testing.assert_array_equal(samples.inputs["image"], X + 1)


@pytest.mark.parametrize("name", ["y", "id", "split"])
def test_input_with_a_reserved_name_is_found_by_it(name: str) -> None:
    arrays = {"left": X, "y_true": X}
    samples = make_samples(arrays, [Spec("left"), Spec("y_true")])
    assert set(samples.inputs) == {"left", "y_true"}
    with pytest.raises(DataError, match="lack the input"):
        make_samples({"left": X}, [Spec("left"), Spec(name)])


def test_surplus_arrays_are_no_inputs() -> None:
    samples = make_samples({"x": X, "y": Y, "y_true": Y, "id": Y, "notes": Y}, [Spec()])
    assert set(samples.inputs) == {"x"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (np.float64, "float32"),
        (np.float16, "float32"),
        (np.uint8, "float32"),
        (np.bool_, "float32"),
        (np.int32, "int64"),
        (np.int64, "uint8"),
    ],
)
def test_types_that_hold_the_same_values_are_converted(given: Any, wanted: str) -> None:
    samples = make_samples({"x": X.astype(given)}, [Spec(dtype=wanted)])
    assert samples.inputs["x"].dtype == wanted
    assert samples.inputs["x"].flags.c_contiguous


@pytest.mark.parametrize(("given", "wanted"), [("uint8", "float32"), ("uint8", "float16")])
def test_bytes_that_become_floats_are_told_and_other_conversions_are_not(
    given: str, wanted: str
) -> None:
    (note,) = make_samples({"x": X.astype(given), "y": Y}, [Spec(dtype=wanted)]).notes
    assert note == "input 'x': values of uint8 are taken as they are, not divided by 255"
    assert not make_samples({"x": X.astype(given), "y": Y}, [Spec(dtype="int64")]).notes
    assert not make_samples({"x": X.astype("int16"), "y": Y}, [Spec(dtype=wanted)]).notes


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (X, "int64"),
        (X.astype(np.int64) + 250, "uint8"),
        (X.astype(np.int64) - 1, "uint8"),
        (X.astype(complex), "float32"),
        (X.astype(str), "float32"),
        (X, "bool"),
        (X, "string_of_another_library"),
    ],
)
def test_other_types_are_refused(given: np.ndarray, wanted: str) -> None:
    with pytest.raises(DataError, match="input 'x' takes"):
        make_samples({"x": given}, [Spec(dtype=wanted)])


def test_text_becomes_objects() -> None:
    words = np.array([["a"], ["bc"]])
    samples = make_samples({"x": words}, [Spec(dtype="str", shape=(None, 1))])
    assert samples.inputs["x"].dtype == object
    assert len(set(samples.digests)) == 2


def test_column_of_labels_is_taken_as_labels() -> None:
    assert make_samples({"x": X, "y": Y[:, None]}, [Spec()]).labels.shape == (4,)  # type: ignore[union-attr]


def test_input_of_a_fixed_shape_is_shared_by_all_samples() -> None:
    table = np.ones((2, 5), np.float32)
    samples = make_samples({"x": X, "table": table, "y": Y}, [Spec(), Spec("table", shape=(2, 5))])
    assert set(samples.inputs) == {"x"}
    np.testing.assert_array_equal(samples.shared["table"], table)


def test_inputs_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="differ in their number of samples"):
        make_samples({"a": X, "b": X[:2]}, [Spec("a"), Spec("b")])


def split_of(*names: str) -> dict[str, np.ndarray]:
    return {"x": X, "y": Y, "split": np.array(names)}


def test_training_samples_by_default() -> None:
    samples = make_samples(split_of("train", "test", "train", "test"), [Spec()])
    np.testing.assert_array_equal(samples.inputs["x"], X[[0, 2]])
    np.testing.assert_array_equal(samples.labels, Y[[0, 2]])


def test_only_samples_of_the_chosen_split_are_used() -> None:
    samples = make_samples(split_of("train", "test", "train", "test"), [Spec()], "test")
    np.testing.assert_array_equal(samples.inputs["x"], X[[1, 3]])


def test_all_samples_where_no_split_is_called_train_and_a_note_that_says_so() -> None:
    samples = make_samples(split_of("a", "b", "a", "b"), [Spec()])
    assert len(samples) == 4
    assert "all samples were used; there are a, b" in samples.notes[0]
    assert not make_samples(split_of("train", "b", "train", "b"), [Spec()]).notes


def test_unknown_split_names_those_there_are() -> None:
    with pytest.raises(DataError, match=r"no split 'c'.* a, b"):
        make_samples(split_of("a", "b", "a", "b"), [Spec()], "c")


def test_bad_values_of_other_splits_do_not_matter() -> None:
    arrays = split_of("train", "test", "train", "test")
    arrays["x"] = np.where(np.arange(4)[:, None] == 1, np.nan, X)
    assert len(make_samples(arrays, [Spec()])) == 2


def test_identity_does_not_depend_on_order_but_on_values_and_labels() -> None:
    order = np.array([2, 0, 3, 1])
    one = make_samples({"x": X, "y": Y}, [Spec()])
    same = make_samples({"x": X[order], "y": Y[order]}, [Spec()])
    assert one.sha256 == same.sha256
    np.testing.assert_array_equal(one.digests[order], same.digests)
    assert make_samples({"x": X + 1, "y": Y}, [Spec()]).sha256 != one.sha256
    assert make_samples({"x": X, "y": 1 - Y}, [Spec()]).sha256 != one.sha256


def test_identity_does_not_depend_on_the_stored_type() -> None:
    one, other = (make_samples({"x": X.astype(t)}, [Spec()]) for t in (np.float64, np.uint8))
    assert one.sha256 == other.sha256


@pytest.mark.parametrize(
    ("have", "wanted", "hint"),
    [
        ((4, 8, 9), (None, 1, 8, 9), "x[:, None]"),
        ((4, 8, 9), (None, 8, 9, 1), "x[..., None]"),
        ((4, 1, 8, 9), (None, 72), "x.reshape(len(x), -1)"),
        ((4, 72), (None, 1, 8, 9), "x.reshape(len(x), 1, 8, 9)"),
    ],
)
def test_axes_that_are_missing_or_too_many_are_recognized(
    have: Any, wanted: Any, hint: str
) -> None:
    with pytest.raises(DataError) as refusal:
        make_samples({"x": np.zeros(have, np.float32)}, [Spec(shape=wanted)])
    assert f"they fit after {hint}" in str(refusal.value)
    repaired = eval(hint, {"x": np.zeros(have, np.float32), "len": len, "None": None})
    assert len(make_samples({"x": repaired}, [Spec(shape=wanted)])) == 4


def test_labels_under_another_name_are_noticed_unless_there_are_some() -> None:
    (note,) = make_samples({"x": X, "id": Y, "Labels": Y}, [Spec()]).notes
    assert note == "nothing is called 'y'; if the labels are in 'Labels', say --label-column Labels"
    assert make_samples({"x": X, "y": Y, "Labels": Y}, [Spec()]).notes == ()
    assert make_samples({"labels": X}, [Spec(name="labels")]).notes == ()


def test_no_order_of_axes_is_suggested_where_none_fits() -> None:
    with pytest.raises(DataError) as refusal:
        make_samples({"x": np.zeros((4, 8, 9, 3))}, [Spec(shape=(None, 5, 8, 9))])
    assert "fit after" not in str(refusal.value)


def test_identity_does_not_depend_on_what_the_network_takes() -> None:
    images = np.arange(4 * 3 * 2 * 5).reshape(4, 3, 2, 5)
    arrays = {"x": images, "y": Y}
    first, last, whole = (
        make_samples(arrays, [Spec(name, dtype, shape)])
        for name, dtype, shape in (
            ("x", "float32", (None, 3, 2, 5)),
            ("pixels", "float64", (None, 2, 5, 3)),
            ("x", "int64", ("n", 3, 2, 5)),
        )
    )
    assert first.sha256 == last.sha256 == whole.sha256
    assert last.inputs["pixels"].shape == (4, 2, 5, 3)
    assert first.notes == whole.notes == ()
    (change,) = last.notes
    assert change.startswith("input 'pixels': axis 1 moved to the end")


def test_words_and_numbers_of_any_size_have_an_identity() -> None:
    one = {"x": np.array(["a", "b", "c"]), "n": np.array([1e300, 2**60, -0.5])}
    specs = [Spec("x", "str", (None,)), Spec("n", "float64", (None,))]
    assert len(set(make_samples(one, specs).digests.tolist())) == 3


def test_samples_that_are_there_twice_have_one_content_whatever_their_labels() -> None:
    x, y = X[[0, 1, 0, 2]], np.array([0, 1, 1, 0])
    samples = make_samples({"x": x, "y": y}, [Spec()])
    assert samples.contents[0] == samples.contents[2]
    assert len(set(samples.contents.tolist())) == 3
    assert len(set(samples.digests.tolist())) == 4


def test_ids_name_the_samples_of_the_split() -> None:
    split = np.array(["train", "test", "train", "test"])
    named = {"x": X, "y": Y, "split": split, "id": np.arange(4) * 10}
    samples = make_samples(named, [Spec()])
    assert samples.ids is not None
    assert samples.ids.tolist() == ["0", "20"]
    assert make_samples({"x": X, "y": Y}, [Spec()]).ids is None
    with pytest.raises(DataError, match="'id' has shape"):
        make_samples({"x": X, "y": Y, "id": X}, [Spec()])


def test_an_input_called_id_names_no_samples() -> None:
    assert make_samples({"x": X, "id": X}, [Spec(), Spec("id")]).ids is None


@pytest.mark.parametrize("name", ["test", "Validation", "VAL", "held-out", "HeldOut"])
def test_samples_held_out_are_found_by_their_split(name: str) -> None:
    split = np.array(["train", name, "train", name])
    held = held_out_samples({"x": X, "y": Y, "split": split}, [Spec()])
    assert held is not None
    np.testing.assert_array_equal(held.inputs["x"], X[[1, 3]])


def test_without_such_a_split_nothing_is_held_out() -> None:
    assert held_out_samples({"x": X, "y": Y}, [Spec()]) is None
    marked = {"x": X, "y": Y, "split": np.array(["train", "extra"] * 2)}
    assert held_out_samples(marked, [Spec()]) is None
    assert held_out_samples(marked, [Spec()], frozenset({"extra"})) is not None


STEP = [Spec(), Spec("sr", "int64", ())]


@pytest.mark.parametrize("one", [16000, np.array(16000), np.array([16000]), np.int32(16000)])
def test_a_number_for_a_scalar_input_is_shared_by_all_samples(one: Any) -> None:
    samples = make_samples({"x": X, "y": Y, "sr": np.asarray(one)}, STEP)
    assert set(samples.inputs) == {"x"}
    shared = samples.shared["sr"]
    assert (shared.shape, shared.dtype, int(shared)) == ((), np.int64, 16000)
    other = make_samples({"x": X, "y": Y, "sr": np.array(8000)}, STEP)
    assert other.sha256 != samples.sha256


def test_many_numbers_for_a_scalar_input_are_refused_with_what_to_do() -> None:
    with pytest.raises(DataError, match="--bind sr=VALUE"):
        make_samples({"x": X, "sr": np.full(4, 16000)}, STEP)


def test_a_number_alone_is_no_samples() -> None:
    with pytest.raises(DataError, match="no axis of samples"):
        make_samples({"x": np.array(1.0)}, [Spec(shape=None)])


@pytest.mark.parametrize(
    ("ids", "named"), [(None, "row 1, row 3"), (np.array(["a", "b", "c", "d"]), "b, d")]
)
def test_samples_with_values_that_are_not_finite_are_named(
    ids: np.ndarray | None, named: str
) -> None:
    broken = X.copy()
    broken[1, 0], broken[3, 2] = np.nan, np.inf
    arrays = {"x": broken, "y": Y} | ({} if ids is None else {"id": ids})
    with pytest.raises(DataError, match=f"infinite in 2 samples: {named}"):
        make_samples(arrays, [Spec()])


def test_classes_are_called_by_labels_that_are_names_or_as_the_data_say() -> None:
    assert make_samples({"x": X, "y": Y}, [Spec()]).class_names == {}
    named = make_samples({"x": X, "y": np.array(["b", "a", "b", "a"])}, [Spec()])
    assert named.class_names == {0: "a", 1: "b"}
    told = make_samples({"x": X, "y": Y, "class_names": np.array(["a", "", "c"])}, [Spec()])
    assert told.class_names == {0: "a", 2: "c"}
