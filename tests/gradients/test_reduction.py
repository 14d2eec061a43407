"""Sums, means, extremes and norms along any axes."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from onnx import helper
from operator_gradients import HERE, apart, check_operator, loaded, model_of, positive

from onnxmem.gradients import Gradients

OPS = [
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
]  # fmt: skip
AXES = st.none() | st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True)


def tensor(op: str) -> np.ndarray:
    return positive(2, 3, 4) if op in ("ReduceLogSum", "ReduceProd") else apart(2, 3, 4)


@settings(max_examples=60)
@given(op=st.sampled_from(OPS), axes=AXES, kept=st.integers(0, 1), back=st.booleans())
def test_axes_as_attribute(op: str, axes: list[int] | None, kept: int, back: bool) -> None:
    opset = 11 if op == "ReduceSum" else 17
    options = {} if axes is None else {"axes": [axis - 3 * back for axis in axes]}
    check_operator(op, tensor(op), opset=opset, keepdims=kept, coarse=True, **options)


@settings(max_examples=60)
@given(op=st.sampled_from(OPS), axes=AXES, kept=st.integers(0, 1), noop=st.integers(0, 1))
def test_axes_as_input(op: str, axes: list[int] | None, kept: int, noop: int) -> None:
    if axes is None and noop and op != "ReduceSum":
        noop = 0  # onnxruntime and onnx differ over what is left of the operator then
    given_axes = [] if axes is None else [np.array(axes, np.int64)]
    check_operator(
        op, tensor(op), *given_axes, opset=18, keepdims=kept, coarse=True,
        noop_with_empty_axes=noop,
    )  # fmt: skip


def test_a_product_that_holds_a_zero() -> None:
    x = np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0]], np.float32)
    node = helper.make_node("ReduceProd", ["x"], ["y"], axes=[1])
    forward = Gradients(loaded(model_of([node], {"x": x}, ["y"])), HERE, ["y"], wrt=["x"]).run(
        {"x": x}
    )
    found = forward.backward(np.ones((2, 1), np.float32)).arrays["x"]
    np.testing.assert_array_equal(found, [[0, 6, 0], [0, 0, 0]])


@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
def test_extremes_that_tie_share(op: str) -> None:
    x = np.ones((1, 4), np.float32)
    node = helper.make_node(op, ["x"], ["y"], axes=[1])
    forward = Gradients(loaded(model_of([node], {"x": x}, ["y"])), HERE, ["y"], wrt=["x"]).run(
        {"x": x}
    )
    found = forward.backward(np.ones((1, 1), np.float32)).arrays["x"]
    np.testing.assert_array_equal(found, np.full((1, 4), 0.25))


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_cumulative_sum(exclusive: int, reverse: int) -> None:
    x, axis = apart(2, 5), np.array(1)
    check_operator("CumSum", x, axis, exclusive=exclusive, reverse=reverse)
