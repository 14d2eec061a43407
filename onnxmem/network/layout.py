"""Activation tensors as matrices, and back.

The activation matrix of a layer has one column for each feature (a unit, or a channel) and one
row for each sample and position, as in section 3 of arXiv:1810.03372.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnxmem.arrays import Array, namespace

_USUAL = 2.0**60
"""Doubles whose largest lies beyond this, or below its inverse, are divided by a unit."""


def find_unit(tensors: Sequence[Array]) -> float:
    """Return the power of two by which activations are divided, so that float32 holds them.

    It is 1 but for doubles that are all very small, or some very large; such a division rounds
    nothing.
    """
    doubles = [tensor for tensor in tensors if str(tensor.dtype) == "float64" and tensor.size]
    largest = max((float(abs(tensor).max()) for tensor in doubles), default=1.0)
    if not math.isfinite(largest) or not largest or 1 / _USUAL <= largest <= _USUAL:
        return 1.0
    return 2.0 ** math.floor(math.log2(largest))


def to_matrix(tensor: Array, feature_axis: int, unit: float = 1.0) -> Array:
    """Return `tensor` as a float32 matrix (samples x positions, features).

    Args:
        tensor: activations, the samples along axis 0.
        feature_axis: the axis of the features; not 0.
        unit: what they are divided by.
    """
    xp = namespace(tensor)
    last = xp.moveaxis(tensor if unit == 1 else tensor / unit, feature_axis, -1)
    with np.errstate(over="ignore"):  # infinity is refused where it is factorized
        return xp.ascontiguousarray(last, dtype=xp.float32).reshape(-1, last.shape[-1])


def kept_rows(tensor: Array, feature_axis: int, real: Array) -> Array | None:
    """Return which rows of the matrix of `tensor` are of real positions, (rows,) bool.

    None where the tensor has no axis of positions, or it cannot be told which it is.

    Args:
        tensor: activations, with samples and positions along any axes, or both along one.
        feature_axis: the axis of the features.
        real: (samples, positions) bool.
    """
    xp, (samples, positions) = namespace(real), real.shape
    shape = list(tensor.shape)
    shape.pop(feature_axis)
    if shape == [samples * positions]:
        return real.reshape(-1)
    for at in (0, 1):
        along = [axis for axis, size in enumerate(shape) if axis != at and size == positions]
        if shape[at : at + 1] == [samples] and len(along) == 1:
            sizes = [size if axis in (at, *along) else 1 for axis, size in enumerate(shape)]
            lying = real if at < along[0] else real.T
            return xp.broadcast_to(lying.reshape(sizes), shape).reshape(-1)
    return None


def to_tensor(matrix: Array, like: Array, feature_axis: int, unit: float = 1.0) -> Array:
    """Return the inverse of `to_matrix`: a tensor with the shape and dtype of `like`."""
    xp = namespace(matrix)
    shape = list(like.shape)
    features = shape.pop(feature_axis)
    tensor = xp.moveaxis(matrix.reshape(*shape, features), -1, feature_axis)
    tensor = xp.ascontiguousarray(tensor, dtype=like.dtype)
    return tensor if unit == 1 else tensor * unit
