"""Convolutions, by their transposes, and the transposes, by convolutions."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from onnxmem.arrays import Array
from onnxmem.gradients.registry import ByInput, Call, rule
from onnxmem.gradients.rules.geometry import Window, placed, spread, unfolded, window_of


@rule("Conv", inputs=None)
def _convolution(call: Call) -> ByInput:
    x, weights = call.inputs[:2]
    window = window_of(call.operator, weights.shape[2:], x.shape[2:], call.y.shape[2:])
    group = call.attribute("group", 1)
    return call.each(
        lambda: spread(call.operators, call.gradient, weights, window, group),
        lambda: _of_weights(call, call.gradient, x, window),
        lambda: _of_bias(call),
    )


@rule("ConvTranspose", inputs=None)
def _transposed(call: Call) -> ByInput:
    """Undo what a convolution from the output to the input would do."""
    x, weights = call.inputs[:2]
    window = _window_of_transposed(call, weights.shape[2:])
    seen = placed(call.gradient, window.before, window.covered)
    none = (0,) * len(window.kernel)
    whole = replace(window, begins=none, sizes=window.covered)
    return call.each(
        lambda: call.operators.one(
            "Conv", seen, weights,
            strides=window.strides, dilations=window.dilations, group=call.attribute("group", 1),
        ),
        lambda: _of_weights(call, x, seen, whole),
        lambda: _of_bias(call),
    )  # fmt: skip


def _window_of_transposed(call: Call, kernel: tuple[int, ...]) -> Window:
    """Return the window that slides over the output; padding may follow from its size."""
    window = window_of(call.operator, kernel, call.y.shape[2:], call.x.shape[2:])
    given = call.operator.attributes
    how = given.get("auto_pad", "NOTSET")
    if how == "VALID" or ("output_shape" not in given and how == "NOTSET"):
        return window
    extra = given.get("output_padding", (0,) * len(kernel))
    total = [
        max(covered + more - size, 0)
        for covered, more, size in zip(window.covered, extra, window.sizes, strict=True)
    ]
    begins = tuple(n // 2 if how == "SAME_UPPER" else n - n // 2 for n in total)
    return replace(window, begins=begins)


def _of_weights(call: Call, made: Array, read: Array, window: Window) -> Array:
    """Return the gradient of weights (made channels, read channels / group, *kernel)."""
    group = call.attribute("group", 1)
    samples, places = len(read), window.places
    columns = unfolded(read, window).reshape(samples, group, -1, prod(places))
    rows = made.reshape(samples, group, -1, columns.shape[-1])
    found = (rows @ columns.swapaxes(-1, -2)).sum(axis=0, dtype=np.float64)
    return found.reshape(call.inputs[1].shape)


def _of_bias(call: Call) -> Array:
    axes = (0, *range(2, call.gradient.ndim))
    return call.gradient.sum(axis=axes, dtype=np.float64)
