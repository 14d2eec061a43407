"""Normalizations with what they learned, and softmax."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from onnxmem.arrays import Array
from onnxmem.gradients.registry import ByInput, Call, rule
from onnxmem.gradients.rules.movement import along
from onnxmem.graph import Step

PER_AXIS = 13
"""The opset from which on softmax looks at one axis; before, at all from there on together."""

PER_CHANNEL = 21
"""The opset from which on GroupNormalization scales channels; before, groups."""


def _mean(array: Array, axes: Sequence[int]) -> Array:
    found = array.mean(axis=tuple(axes), dtype=np.float64, keepdims=True)
    return found.astype(array.dtype)


def _total(array: Array, axes: Sequence[int]) -> Array:
    found = array.sum(axis=tuple(axes), dtype=np.float64, keepdims=True)
    return found.astype(array.dtype)


def _standardized(x: Array, axes: Sequence[int], epsilon: float) -> tuple[Array, Array]:
    """Return x with mean 0 and variance 1, and the factor that made it so."""
    centred = x - _mean(x, axes)
    factor = (_mean(centred * centred, axes) + x.dtype.type(epsilon)) ** -0.5
    return centred * factor, factor


def _through_standardized(
    gradient: Array, normal: Array, factor: Array, axes: Sequence[int]
) -> Array:
    """Go back through `_standardized`."""
    return factor * (gradient - _mean(gradient, axes) - normal * _mean(gradient * normal, axes))


def _column(vector: Array, rank: int) -> Array:
    """Return one number for each channel, along axis 1 of a tensor of `rank` axes."""
    return vector.reshape(-1, *[1] * (rank - 2))


def _trains(step: Step, constants: Collection[str]) -> str:
    given = step.operator.attributes
    if not given.get("spatial", 1):
        return "with statistics of each place"
    return "in training mode" if given.get("training_mode", 0) else ""


@rule("BatchNormalization", inputs=None, refuses=_trains)
def _batch(call: Call) -> ByInput:
    x, scale, _, mean, variance = call.inputs
    rank, others = x.ndim, (0, *range(2, x.ndim))
    factor = (variance + variance.dtype.type(call.attribute("epsilon", 1e-5))) ** -0.5
    shown = _column(factor, rank)
    normal = (x - _column(mean, rank)) * shown

    def per_channel(array: Array) -> Array:
        return array.sum(axis=others, dtype=np.float64)

    return call.each(
        lambda: call.gradient * _column(scale * factor, rank),
        lambda: per_channel(call.gradient * normal),
        lambda: per_channel(call.gradient),
        lambda: -per_channel(call.gradient) * scale * factor,
        lambda: -per_channel(call.gradient * normal) * scale * factor**2 / 2,
    )


@rule("LayerNormalization", inputs=None)
def _layer(call: Call) -> ByInput:
    x, scale = call.inputs[:2]
    axes = tuple(range(call.attribute("axis", -1) % x.ndim, x.ndim))
    normal, factor = _standardized(x, axes, call.attribute("epsilon", 1e-5))
    return call.each(
        lambda: _through_standardized(call.gradient * scale, normal, factor, axes),
        lambda: call.gradient * normal,
        lambda: call.gradient,
    )


@rule("RMSNormalization", "SimplifiedLayerNormalization", inputs=None)
def _root_mean_square(call: Call) -> ByInput:
    x, scale = call.inputs[:2]
    axes = tuple(range(call.attribute("axis", -1) % x.ndim, x.ndim))
    epsilon = x.dtype.type(call.attribute("epsilon", 1e-5))
    factor = (_mean(x * x, axes) + epsilon) ** -0.5
    normal, scaled = x * factor, call.gradient * scale
    return call.each(
        lambda: factor * (scaled - normal * _mean(scaled * normal, axes)),
        lambda: call.gradient * normal,
    )


@rule("InstanceNormalization", inputs=None)
def _instance(call: Call) -> ByInput:
    x, scale = call.inputs[:2]
    axes, rank = tuple(range(2, x.ndim)), x.ndim
    normal, factor = _standardized(x, axes, call.attribute("epsilon", 1e-5))
    others = (0, *axes)
    return call.each(
        lambda: _through_standardized(call.gradient * _column(scale, rank), normal, factor, axes),
        lambda: (call.gradient * normal).sum(axis=others, dtype=np.float64),
        lambda: call.gradient.sum(axis=others, dtype=np.float64),
    )


@rule("GroupNormalization")
def _group(call: Call) -> ByInput:
    x, scale, groups = call.x, call.inputs[1], call.attribute("num_groups", 1)
    if call.operator.version < PER_CHANNEL:
        scale = call.xp.broadcast_to(scale[:, None], (groups, x.shape[1] // groups)).reshape(-1)
    shape = (len(x), groups, -1)
    normal, factor = _standardized(x.reshape(shape), (2,), call.attribute("epsilon", 1e-5))
    scaled = (call.gradient * _column(scale, x.ndim)).reshape(shape)
    return {0: _through_standardized(scaled, normal, factor, (2,)).reshape(x.shape)}


@rule("MeanVarianceNormalization")
def _mean_variance(call: Call) -> ByInput:
    axes = tuple(axis % call.x.ndim for axis in call.attribute("axes", (0, 2, 3)))
    normal, factor = _standardized(call.x, axes, 0.0)
    return {0: _through_standardized(call.gradient, normal, factor, axes)}


@rule("LpNormalization")
def _lp(call: Call) -> ByInput:
    axes, x = (call.attribute("axis", -1),), call.x
    along_axis = _total(call.gradient * call.y, axes)
    if call.attribute("p", 2) == 1:
        return {0: (call.gradient - call.xp.sign(x) * along_axis) / _total(abs(x), axes)}
    return {0: (call.gradient - call.y * along_axis) / _total(x * x, axes) ** 0.5}


@rule("LRN")
def _local_response(call: Call) -> ByInput:
    """Each channel is divided by a power of the sum of squares of its neighbours."""
    size, alpha = call.attribute("size", 1), call.attribute("alpha", 1e-4)
    beta, bias = call.attribute("beta", 0.75), call.attribute("bias", 1.0)
    before, after = (size - 1) // 2, size // 2
    base = bias + alpha / size * _neighbours(call, call.x * call.x, before, after)
    pulled = _neighbours(call, call.gradient * call.x * base ** (-beta - 1), after, before)
    return {0: call.gradient * base**-beta - 2 * alpha * beta / size * call.x * pulled}


def _neighbours(call: Call, array: Array, before: int, after: int) -> Array:
    """Return the sum over channels from so many before each to so many after it."""
    count, rank = array.shape[1], array.ndim
    total = call.xp.zeros(array.shape, array.dtype)
    for gap in range(-min(before, count - 1), min(after, count - 1) + 1):
        target = slice(max(-gap, 0), count - max(gap, 0))
        source = slice(max(gap, 0), count - max(-gap, 0))
        total[along(rank, 1, target)] += array[along(rank, 1, source)]
    return total


def _softmax_axes(call: Call) -> tuple[int, ...]:
    if call.operator.version >= PER_AXIS:
        return (call.attribute("axis", -1),)
    return tuple(range(call.attribute("axis", 1) % call.x.ndim, call.x.ndim))


@rule("Softmax")
def _softmax(call: Call) -> ByInput:
    weighted = call.gradient * call.y
    return {0: weighted - call.y * _total(weighted, _softmax_axes(call))}


@rule("LogSoftmax")
def _log_softmax(call: Call) -> ByInput:
    total = _total(call.gradient, _softmax_axes(call))
    return {0: call.gradient - call.xp.exp(call.y) * total}
