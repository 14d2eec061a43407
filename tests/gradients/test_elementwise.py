"""Arithmetic of several tensors: each gets its gradient, summed over what was broadcast."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from onnx import helper
from operator_gradients import HERE, apart, check_operator, loaded, model_of, positive

from onnxmem.gradients import Gradients

A, B = apart(3, 4), positive(3, 4, seed=1)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max", "Min"])
def test_two_tensors(op: str) -> None:
    check_operator(op, A, B)


@pytest.mark.parametrize("op", ["Sum", "Mean", "Max", "Min"])
def test_several_tensors(op: str) -> None:
    check_operator(op, A, B, apart(3, 1, seed=2), positive(4, seed=3))


@st.composite
def broadcast_pairs(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw two shapes that fit together."""
    whole = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    shapes = []
    for _ in range(2):
        kept = whole[draw(st.integers(0, len(whole))) :]
        shapes.append(tuple(size if draw(st.booleans()) else 1 for size in kept))
    return shapes[0], shapes[1]


@settings(max_examples=40)
@given(pair=broadcast_pairs(), op=st.sampled_from(["Add", "Sub", "Mul", "Div", "Max", "Pow"]))
def test_what_was_broadcast_gets_the_sum(
    pair: tuple[tuple[int, ...], tuple[int, ...]], op: str
) -> None:
    first = positive(*pair[0])
    second = np.asarray(positive(*pair[1], seed=1) + np.float32(0.013))
    check_operator(op, first, second)


def test_power_of_any_base_and_exponent() -> None:
    check_operator("Pow", positive(3, 4), A)
    check_operator("Pow", A, np.array(3, np.float32), wrt=[0])
    check_operator("Pow", A, np.array(2, np.int64))


def test_power_at_zero_is_finite() -> None:
    found = gradients("Pow", [0.0, 2.0], [2.0, 0.0])
    np.testing.assert_allclose(found[0], [0, 0])
    np.testing.assert_allclose(found[1], [0, np.log(2)], rtol=1e-6)


def gradients(op: str, *values: list[float]) -> list[np.ndarray]:
    feeds = {f"x{at}": np.array(one, np.float32) for at, one in enumerate(values)}
    proto = model_of([helper.make_node(op, list(feeds), ["y"])], feeds, ["y"])
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=list(feeds)).run(feeds)
    backward = forward.backward(np.ones_like(forward.outputs[0]))
    return [backward.arrays[name] for name in feeds]


def test_ties_share() -> None:
    first, second = gradients("Max", [1.0, 2.0, 0.0], [1.0, 0.0, 3.0])
    np.testing.assert_allclose(first, [0.5, 1, 0])
    np.testing.assert_allclose(second, [0.5, 0, 1])


def test_where_chooses() -> None:
    condition = np.array([[True], [False], [True]])
    check_operator("Where", condition, A, B)
    check_operator("Where", condition, A, apart(1, seed=2))


@pytest.mark.parametrize(
    "bounds",
    [
        (np.float32(-0.31), np.float32(0.42)),
        (np.float32(-0.31),),
        (None, np.float32(0.42)),
        (np.float32(0.42), np.float32(-0.31)),
    ],
)
def test_clip_with_bounds_as_inputs(bounds: tuple[np.float32 | None, ...]) -> None:
    check_operator("Clip", A, *(None if one is None else np.asarray(one) for one in bounds))


def test_clip_with_bounds_as_attributes() -> None:
    check_operator("Clip", A, opset=10, min=-0.31, max=0.42)
    check_operator("Clip", A, opset=6, min=0.0)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (3, 1), (1,)])
def test_slope_of_prelu(shape: tuple[int, ...]) -> None:
    check_operator("PRelu", A, positive(*shape, seed=1))


def test_scaler_of_scikit_learn() -> None:
    numbers = {"offset": [0.1, 0.2, 0.3, 0.4], "scale": [1.0, 2.0, 0.5, 3.0]}
    check_operator("Scaler", A, domain="ai.onnx.ml", coarse=True, **numbers)
    check_operator("Scaler", A, domain="ai.onnx.ml", coarse=True, offset=[0.1], scale=[2.0])


def test_a_tensor_that_is_read_twice_gets_both() -> None:
    node = helper.make_node("Mul", ["x", "x"], ["y"])
    feeds = {"x": A}
    forward = Gradients(loaded(model_of([node], feeds, ["y"])), HERE, ["y"], wrt=["x"]).run(feeds)
    found = forward.backward(np.ones_like(A)).arrays["x"]
    np.testing.assert_allclose(found, 2 * A, rtol=1e-6)
