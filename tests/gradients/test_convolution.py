"""Convolutions of any geometry, and their transposes."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from operator_gradients import apart, check_operator

SMALL = 0.02


def numbers(draw: st.DrawFn, axes: int, low: int, high: int) -> list[int]:
    return [draw(st.integers(low, high)) for _ in range(axes)]


@st.composite
def geometries(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    """Draw the shapes of an input and a kernel, and the attributes of a convolution."""
    axes, group = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    kernel = numbers(draw, axes, 1, 3)
    sizes = numbers(draw, axes, 4, 6)
    attributes: dict[str, Any] = {
        "group": group,
        "strides": numbers(draw, axes, 1, 3),
        "dilations": numbers(draw, axes, 1, 2),
    }
    how = draw(st.sampled_from(["pads", "none", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if how == "pads":
        attributes["pads"] = numbers(draw, 2 * axes, 0, 2)
    elif how != "none":
        attributes["auto_pad"] = how
    reach = zip(kernel, attributes["dilations"], sizes, strict=True)
    assume(all((k - 1) * gap + 1 <= size for k, gap, size in reach))
    channels = group * draw(st.integers(1, 2))
    shape = (2, channels, *sizes)
    weights = (group * draw(st.integers(1, 2)), channels // group, *kernel)
    return shape, weights, attributes


@settings(max_examples=60)
@given(geometry=geometries(), biased=st.booleans())
def test_convolution(
    geometry: tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], biased: bool
) -> None:
    shape, weights, attributes = geometry
    same = str(attributes.get("auto_pad", "")).startswith("SAME")
    assume(not same or set(attributes["dilations"]) == {1})
    bias = [apart(weights[0], seed=2)] if biased else []
    given_ = apart(*shape, gap=SMALL), apart(*weights, seed=1, gap=SMALL)
    check_operator("Conv", *given_, *bias, coarse=True, **attributes)


@settings(max_examples=60)
@given(
    geometry=geometries(),
    extra=st.booleans(),
    shaped=st.booleans(),
)
def test_transposed_convolution(
    geometry: tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], extra: bool, shaped: bool
) -> None:
    (samples, *_), (rows, columns, *kernel), attributes = geometry
    assume("auto_pad" not in attributes or set(attributes["dilations"]) == {1})
    axes, group = len(kernel), attributes["group"]
    if extra and "auto_pad" not in attributes:
        attributes["output_padding"] = [stride - 1 for stride in attributes["strides"]]
    sizes = [3] * axes
    if shaped and attributes.keys() == {"group", "strides", "dilations"}:
        numbers = zip(attributes["strides"], attributes["dilations"], kernel, strict=True)
        attributes["output_shape"] = [
            max(2 * stride + (k - 1) * gap, 1) for stride, gap, k in numbers
        ]
    elif "pads" in attributes:
        reach = zip(attributes["strides"], attributes["dilations"], kernel, strict=True)
        whole = [2 * stride + (k - 1) * gap + 1 for stride, gap, k in reach]
        taken = [attributes["pads"][at] + attributes["pads"][at + axes] for at in range(axes)]
        assume(all(a > b for a, b in zip(whole, taken, strict=True)))
    x = apart(samples, rows, *sizes, gap=SMALL)
    weights = apart(rows, columns, *kernel, seed=1, gap=SMALL)
    bias = apart(columns * group, seed=2)
    check_operator("ConvTranspose", x, weights, bias, coarse=True, **attributes)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
def test_padding_that_keeps_the_size(auto_pad: str) -> None:
    x, weights = apart(1, 1, 5, 6, gap=SMALL), apart(2, 1, 4, 3, seed=1, gap=SMALL)
    check_operator("Conv", x, weights, coarse=True, auto_pad=auto_pad, strides=[2, 1])


def test_depthwise() -> None:
    x, weights = apart(2, 6, 5, 5, gap=SMALL), apart(6, 1, 3, 3, seed=1, gap=SMALL)
    check_operator("Conv", x, weights, coarse=True, group=6, pads=[1, 1, 1, 1])


def test_in_float64() -> None:
    """Where the reference runs it as well."""
    x, weights = apart(2, 3, 6, 5, gap=SMALL), apart(4, 3, 3, 2, seed=1, gap=SMALL)
    check_operator("Conv", x, weights, np.ones(4, np.float32), strides=[2, 1], pads=[1, 0, 1, 1])
