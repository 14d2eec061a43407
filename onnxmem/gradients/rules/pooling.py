"""Pools: maxima by where they were found, means by a transposed convolution."""

from __future__ import annotations

from math import prod

import numpy as np

from onnxmem.arrays import Array
from onnxmem.gradients.registry import ByInput, Call, rule
from onnxmem.gradients.rules.geometry import Window, placed, spread, window_of


@rule("MaxPool")
def _max_pool(call: Call) -> ByInput:
    """Give the first of several maxima all."""
    window = _window(call)
    seen = placed(call.x, window.before, window.extent, fill=-call.xp.inf)
    total = call.xp.zeros(seen.shape, call.gradient.dtype)
    free = call.xp.ones(call.y.shape, bool)
    for element in window.elements():
        hit = (seen[element] == call.y) & free
        free &= ~hit
        given = call.where(hit)
        total[element] = total[element] + given if window.overlaps else given
    return {0: placed(total, window.begins, window.sizes)}


@rule("AveragePool")
def _average_pool(call: Call) -> ByInput:
    window = _window(call)
    ones = call.xp.ones((1, 1, *call.x.shape[2:]), call.x.dtype)
    (mean,) = call.operators.run(call.operator, [ones])
    return {0: _spread_evenly(call, call.gradient * (mean / _counted(call, window)), window)}


@rule("LpPool")
def _lp_pool(call: Call) -> ByInput:
    p, xp = call.attribute("p", 2), call.xp
    share = xp.where(call.y == 0, 0, call.gradient * xp.where(call.y == 0, 1, call.y) ** (1 - p))
    spread_out = _spread_evenly(call, share.astype(call.x.dtype), _window(call))
    return {0: spread_out * xp.sign(call.x) * abs(call.x) ** (p - 1)}


def _window(call: Call) -> Window:
    kernel = call.attribute("kernel_shape", ())
    return window_of(call.operator, kernel, call.x.shape[2:], call.y.shape[2:])


def _counted(call: Call, window: Window) -> Array:
    """Return how many elements of the input the window covers at each place."""
    count = np.ones(())
    numbers = zip(
        window.places, window.strides, window.kernel, window.dilations, window.begins,
        window.sizes, strict=True,
    )  # fmt: skip
    for places, stride, kernel, gap, begin, size in numbers:
        at = np.arange(places)[:, None] * stride + np.arange(kernel) * gap - begin
        count = count[..., None] * ((at >= 0) & (at < size)).sum(axis=1)
    return call.xp.asarray(np.maximum(count, 1).astype(call.x.dtype))


def _spread_evenly(call: Call, share: Array, window: Window) -> Array:
    """Give every element of the window what its place has."""
    alone = share.reshape(-1, 1, *share.shape[2:])
    ones = call.xp.ones((1, 1, *window.kernel), share.dtype)
    return spread(call.operators, alone, ones, window, 1).reshape(call.x.shape)


@rule("GlobalAveragePool")
def _global_average(call: Call) -> ByInput:
    share = call.gradient / prod(call.x.shape[2:])
    return {0: call.xp.broadcast_to(share, call.x.shape)}


@rule("GlobalMaxPool")
def _global_max(call: Call) -> ByInput:
    """Give the first of several maxima all."""
    flat = call.x.reshape(*call.x.shape[:2], -1)
    places = call.xp.arange(flat.shape[-1])
    first = places == flat.argmax(axis=-1)[..., None]
    share = call.gradient.reshape(*call.x.shape[:2], 1)
    return {0: call.xp.where(first, share, 0).reshape(call.x.shape)}


@rule("GlobalLpPool")
def _global_lp(call: Call) -> ByInput:
    p, xp = call.attribute("p", 2), call.xp
    share = xp.where(call.y == 0, 0, call.gradient * xp.where(call.y == 0, 1, call.y) ** (1 - p))
    return {0: share * xp.sign(call.x) * abs(call.x) ** (p - 1)}
