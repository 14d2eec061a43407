"""Interpolation: along each axis a matrix, which running the operator on unit vectors tells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from onnxmem.arrays import Array, to_host
from onnxmem.gradients.registry import ByInput, Call, rule
from onnxmem.graph import Step

SIZES_AT = 3
"""Where Resize takes sizes instead of scales, from the version on that takes a region."""


def _is_no_matrix(step: Step, constants: Collection[str]) -> str:
    given = step.operator.attributes
    mode = given.get("coordinate_transformation_mode", "half_pixel")
    policy = given.get("keep_aspect_ratio_policy", "stretch")
    odd = [one for one in (mode, policy) if one not in (*PLAIN_MODES, "stretch")]
    return f"with {' and '.join(map(str, odd))}" if odd else ""


PLAIN_MODES = (
    "align_corners", "asymmetric", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
    "tf_half_pixel_for_nn",
)  # fmt: skip
"""The ways to place the pixels that treat each axis by itself."""


@rule("Resize", indices=(1, 2, 3), refuses=_is_no_matrix)
@rule("Upsample", indices=(1,), refuses=_is_no_matrix)
def _resize(call: Call) -> ByInput:
    gradient = call.gradient
    for axis, (before, after) in enumerate(zip(call.x.shape, call.y.shape, strict=True)):
        scale = _scale(call, axis)
        if before != after or (scale is not None and scale != 1):
            matrix = _matrix(call, before, after, scale)
            gradient = call.xp.moveaxis(call.xp.moveaxis(gradient, axis, -1) @ matrix.T, -1, axis)
    return {0: gradient}


def _scale(call: Call, axis: int) -> float | None:
    """Return how much longer an axis gets, None where its size is given instead."""
    scales = call.attribute("scales", None)
    at = 2 if call.operator.version > 10 and call.operator.op == "Resize" else 1
    if scales is None and (array := call.input(at)) is not None and array.size:
        scales = to_host(array)
    if scales is None:
        return None
    axes = _axes(call)
    return float(scales[axes.index(axis)]) if axis in axes else 1.0


def _axes(call: Call) -> tuple[int, ...]:
    rank = call.x.ndim
    return tuple(axis % rank for axis in call.attribute("axes", range(rank)))


def _matrix(call: Call, before: int, after: int, scale: float | None) -> Array:
    """Return what each element of an axis gives to each element of the longer one.

    Returns:
        (before, after).
    """
    xp, version = call.xp, call.operator.version
    units = xp.eye(before, dtype=call.x.dtype).reshape(1, before, before, 1)
    attributes = {k: v for k, v in call.operator.attributes.items() if k not in ("axes", "scales")}
    inputs: list[Array | None] = [units]
    factors = None if scale is None else np.array([1, 1, scale, 1], np.float32)
    if "scales" in call.operator.attributes:
        attributes["scales"] = (1.0, 1.0, float(scale or 1), 1.0)
    elif call.operator.op == "Upsample" or version <= 10:
        inputs.append(xp.asarray(factors))
    elif factors is not None:
        inputs += [xp.zeros(0, np.float32), xp.asarray(factors)]
    else:
        sizes = xp.asarray(np.array([1, before, after, 1], np.int64))
        inputs += [xp.zeros(0, np.float32), xp.zeros(0, np.float32), sizes]
    (made,) = call.operators.run(replace(call.operator, attributes=attributes), inputs)
    return made.reshape(before, after)
