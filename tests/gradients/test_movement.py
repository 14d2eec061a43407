"""What only moves numbers sends the gradient back to where each came from."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from operator_gradients import apart, check_operator

X = apart(2, 4, 6)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("op", "more", "attributes", "opset"),
    [
        ("Reshape", [ints(4, -1)], {}, 17),
        ("Reshape", [ints(0, 3, 8)], {}, 13),
        ("Flatten", [], {"axis": 2}, 17),
        ("Identity", [], {}, 17),
        ("Unsqueeze", [ints(0, 2)], {}, 17),
        ("Unsqueeze", [], {"axes": [1]}, 11),
        ("Transpose", [], {"perm": [2, 0, 1]}, 17),
        ("Transpose", [], {}, 17),
        ("Expand", [ints(3, 2, 4, 6)], {}, 17),
        ("Dropout", [], {}, 17),
        ("Dropout", [], {"ratio": 0.3}, 11),
        ("Cast", [], {"to": 11}, 17),
        ("CastLike", [np.zeros(1, np.float64)], {}, 17),
        ("Slice", [ints(1, 5), ints(3, 0), ints(1, 2), ints(1, -2)], {}, 17),
        ("Slice", [], {"starts": [1], "ends": [3], "axes": [2]}, 9),
        ("Gather", [ints(3, 0, 3, -1)], {"axis": 1}, 17),
        ("Gather", [np.array(2)], {"axis": 2}, 17),
        ("GatherElements", [ints(0, 1, 0).reshape(1, 1, 3)], {"axis": 0}, 17),
        ("GatherND", [ints(0, 1, 1, 3, 0, 1).reshape(3, 2)], {}, 17),
        ("GatherND", [ints(1, 3).reshape(2, 1)], {"batch_dims": 1}, 17),
        ("Tile", [ints(1, 2, 3)], {}, 17),
        ("Trilu", [], {"upper": 0}, 17),
        ("Trilu", [np.array(1)], {"upper": 1}, 17),
        ("Compress", [np.array([True, False, True])], {"axis": 1}, 17),
        ("ReverseSequence", [ints(2, 4, 1, 3)], {"batch_axis": 1, "time_axis": 0}, 17),
        ("CenterCropPad", [ints(3, 8)], {"axes": [1, 2]}, 18),
        ("Pad", [ints(0, 1, 0, 1, 0, 2)], {}, 17),
        ("Pad", [ints(0, -1, 2, 1, 0, -2)], {}, 17),
        ("Pad", [ints(1, 2, 1, 1), None, ints(0, 2)], {"mode": "edge"}, 18),
        ("Pad", [ints(0, 2, 1, 0, 1, 2)], {"mode": "reflect"}, 17),
        ("Pad", [ints(0, 2, 1, 0, 1, 2)], {"mode": "wrap"}, 19),
        ("Pad", [], {"pads": [0, 1, 0, 1, 0, 2], "value": 2.5}, 10),
    ],
)
def test_one_tensor(op: str, more: list[np.ndarray], attributes: dict, opset: int) -> None:
    x = X
    if op == "ReverseSequence":
        x = apart(4, 4, 2)
    elif op == "Gather" and more[0].ndim == 0:
        x = apart(2, 3, 4)
    domestic = {"Pad", "GatherElements", "GatherND", "Dropout", "CenterCropPad", "Slice"}
    check_operator(op, x, *more, opset=opset, coarse=op in domestic, **attributes)


def test_squeeze_of_old_and_new_versions() -> None:
    x = apart(2, 1, 3, 1)
    check_operator("Squeeze", x, ints(1, 3))
    check_operator("Squeeze", x)
    check_operator("Squeeze", x, opset=11, axes=[1])


def test_what_padding_is_filled_with_gets_its_share() -> None:
    check_operator("Pad", X, ints(0, 1, 0, 1, 0, 2), np.array(0.7, np.float32), wrt=[0, 2])


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_and_space(mode: str) -> None:
    check_operator("DepthToSpace", apart(2, 8, 2, 3), blocksize=2, mode=mode)
    check_operator("SpaceToDepth", apart(2, 3, 4, 2), blocksize=2)


def test_trilu_of_onnxruntime() -> None:
    check_operator("Trilu", X, np.array(-1), domain="com.microsoft", coarse=True)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concat_and_split(axis: int) -> None:
    check_operator("Concat", X, apart(2, 4, 6, seed=1), X, axis=axis)
    parts = [X.shape[axis] - 1, 1]
    check_operator("Split", X, ints(*parts), outputs=2, axis=axis)


def test_split_of_old_and_new_versions() -> None:
    check_operator("Split", X, outputs=3, axis=2, opset=11, split=[1, 2, 3])
    check_operator("Split", X, outputs=2, axis=1, opset=18, num_outputs=2)


@pytest.mark.parametrize("largest", [0, 1])
def test_top_k(largest: int) -> None:
    check_operator("TopK", X, ints(3), outputs=2, axis=1, largest=largest)
    check_operator("TopK", X, outputs=2, opset=9, k=2)


def test_scattered_updates_replace_data() -> None:
    places = ints(1, 0, 3, 2).reshape(2, 2, 1)
    check_operator("ScatterElements", X, places, apart(2, 2, 1, seed=1), axis=1)
    check_operator("Scatter", X, places, apart(2, 2, 1, seed=1), opset=10, axis=1, coarse=True)
    rows = ints(0, 3, 1, 2).reshape(2, 2)
    check_operator("ScatterND", X, rows, apart(2, 6, seed=1))


def test_scattered_updates_are_added() -> None:
    places = ints(1, 1, 3, 2).reshape(2, 2, 1)
    check_operator("ScatterElements", X, places, apart(2, 2, 1, seed=1), axis=1, reduction="add")
    rows = ints(0, 3, 0, 3).reshape(2, 2)
    check_operator("ScatterND", X, rows, apart(2, 6, seed=1), reduction="add")


@st.composite
def slices(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Draw starts, ends and steps for three axes, also beyond the tensor."""
    numbers = st.integers(-9, 9)
    steps = [draw(st.sampled_from([1, 2, 3, -1, -2])) for _ in range(3)]
    return [draw(numbers) for _ in steps], [draw(numbers) for _ in steps], steps


@settings(max_examples=30)
@given(place=slices())
def test_any_slice(place: tuple[list[int], list[int], list[int]]) -> None:
    starts, ends, steps = (ints(*one) for one in place)
    check_operator("Slice", X, starts, ends, ints(0, 1, 2), steps, coarse=True)
