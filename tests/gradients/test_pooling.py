"""Pools of any geometry."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from onnx import helper
from operator_gradients import HERE, apart, check_operator, loaded, model_of, positive

from onnxmem.gradients import Gradients


@st.composite
def pools(draw: st.DrawFn) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Draw the shape of an input and the attributes of a pool."""
    axes = draw(st.integers(1, 3))

    def numbers(count: int, low: int, high: int) -> list[int]:
        return [draw(st.integers(low, high)) for _ in range(count)]

    kernel = numbers(axes, 1, 3)
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": numbers(axes, 1, 3)}
    how = draw(st.sampled_from(["pads", "none", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if how == "pads":
        attributes["pads"] = [draw(st.integers(0, k - 1)) for k in (*kernel, *kernel)]
    elif how != "none":
        attributes["auto_pad"] = how
    if how in ("pads", "none"):
        attributes["ceil_mode"] = draw(st.integers(0, 1))
    if how.startswith("SAME"):
        attributes["strides"] = list(map(min, kernel, attributes["strides"]))
    return (2, 2, *numbers(axes, 4, 6)), attributes


@settings(max_examples=60)
@given(pool=pools(), dilated=st.booleans())
def test_max_pool(pool: tuple[tuple[int, ...], dict[str, Any]], dilated: bool) -> None:
    shape, attributes = pool
    if dilated and "auto_pad" not in attributes and "pads" not in attributes:
        attributes["dilations"] = [2] * (len(shape) - 2)
        reach = zip(attributes["kernel_shape"], shape[2:], strict=True)
        assume(all(2 * k - 1 <= size for k, size in reach))
    check_operator("MaxPool", apart(*shape), coarse=True, **attributes)


@settings(max_examples=60)
@given(pool=pools(), counted=st.integers(0, 1), opset=st.sampled_from([11, 17, 22]))
def test_average_pool(
    pool: tuple[tuple[int, ...], dict[str, Any]], counted: int, opset: int
) -> None:
    shape, attributes = pool
    check_operator(
        "AveragePool", apart(*shape, gap=0.02), coarse=True, opset=opset,
        count_include_pad=counted, **attributes,
    )  # fmt: skip


@pytest.mark.parametrize("p", [1, 2, 3])
def test_lp_pool(p: int) -> None:
    x = positive(2, 2, 5, 6)
    geometry = {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [0, 1, 1, 0]}
    check_operator("LpPool", x, coarse=True, p=p, **geometry)
    check_operator("GlobalLpPool", x, coarse=True, p=p)


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 4, 5), (2, 2, 3, 2, 2)])
def test_global_pools(op: str, shape: tuple[int, ...]) -> None:
    check_operator(op, apart(*shape), coarse=True)


@pytest.mark.parametrize(
    ("op", "attributes"), [("MaxPool", {"kernel_shape": [2, 2]}), ("GlobalMaxPool", {})]
)
def test_of_several_maxima_the_first_gets_all(op: str, attributes: dict[str, Any]) -> None:
    x = np.ones((1, 1, 2, 2), np.float32)
    proto = model_of([helper.make_node(op, ["x"], ["y"], **attributes)], {"x": x}, ["y"])
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=["x"]).run({"x": x})
    found = forward.backward(np.ones((1, 1, 1, 1), np.float32)).arrays["x"]
    np.testing.assert_array_equal(found.ravel(), [1, 0, 0, 0])
