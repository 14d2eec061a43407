"""Operators that only move numbers.

The plain ones are undone directly. All others are run once on the numbers of the elements of what
they move, counted from 1; where a number arrives says where the gradient comes from, and 0 marks
what comes from nowhere, such as padding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from onnxmem.arrays import Array
from onnxmem.gradients.registry import MICROSOFT, ByInput, Call, rule
from onnxmem.graph import Operator, Step

NUMBERED = np.float64
"""The type of the numbers of elements: every operator takes it, and it counts to 2^53."""


@rule("Flatten")
@rule("Reshape", "Squeeze", "Unsqueeze", indices=(1,))
def _reshape(call: Call) -> ByInput:
    return {0: call.gradient.reshape(call.x.shape)}


def _to_integers(step: Step, constants: Collection[str]) -> str:
    whole = any(one and not one.startswith(("float", "bfloat")) for one in step.dtypes)
    return "to whole numbers" if whole else ""


@rule("Cast", refuses=_to_integers)
@rule("Identity")
@rule("Expand", indices=(1,))
@rule("CastLike", indices=(1,), refuses=_to_integers)
def _same(call: Call) -> ByInput:
    """Hand the gradient on; the walk sums over what was repeated."""
    return {0: call.gradient}


def _drops(step: Step, constants: Collection[str]) -> str:
    training = step.inputs[2] if len(step.inputs) > 2 else ""
    return "in training mode" if training and training not in constants else ""


@rule("Dropout", indices=(1, 2), refuses=_drops)
def _dropout(call: Call) -> ByInput:
    return {0: call.gradient}


@rule("Transpose")
def _transpose(call: Call) -> ByInput:
    order = call.attribute("perm", tuple(reversed(range(call.x.ndim))))
    back = sorted(range(len(order)), key=order.__getitem__)
    return {0: call.gradient.transpose(back)}


@rule("Concat", inputs=None)
def _concat(call: Call) -> ByInput:
    axis, start, found = call.attribute("axis", 1), 0, {}
    for at, one in enumerate(call.inputs):
        stop = start + one.shape[axis]
        if at in call.wanted:
            found[at] = call.gradient[along(one.ndim, axis, slice(start, stop))]
        start = stop
    return found


@rule("Split", indices=(1,), outputs=None)
def _split(call: Call) -> ByInput:
    pieces = [
        call.xp.zeros(made.shape, made.dtype) if gradient is None else gradient
        for made, gradient in zip(call.outputs, call.gradients, strict=True)
    ]
    return {0: call.xp.concatenate(pieces, axis=call.attribute("axis", 0))}


def along(rank: int, axis: int, place: slice) -> tuple[slice, ...]:
    """Return the index of a part along one axis."""
    index = [slice(None)] * rank
    index[axis] = place
    return tuple(index)


@rule("DepthToSpace", "SpaceToDepth")
@rule("Gather", "GatherElements", "GatherND", indices=(1,))
@rule("Compress", "CenterCropPad", "ReverseSequence", "Tile", indices=(1,))
@rule("Slice", indices=(1, 2, 3, 4))
@rule("Trilu", indices=(1,))
@rule("Trilu", domain=MICROSOFT, indices=(1,))
def _move(call: Call) -> ByInput:
    """Send the gradient back to where each element came from."""
    given = [_numbered(call, call.x), *call.inputs[1:]]
    total = _collected(call, call.operator, given, call.x.size)
    return {0: total[1:].reshape(call.x.shape)}


@rule("Pad", inputs=(0, 2), indices=(1, 3))
def _pad(call: Call) -> ByInput:
    filling = call.input(2)
    nothing = call.xp.zeros((), NUMBERED) if filling is not None else None
    given = [_numbered(call, call.x), *call.inputs[1:2], nothing, *call.inputs[3:]]
    attributes = {**call.operator.attributes}
    if "value" in attributes:
        attributes["value"] = 0.0
    total = _collected(
        call, replace(call.operator, attributes=attributes), given[: len(call.inputs)], call.x.size
    )
    return call.each(
        lambda: total[1:].reshape(call.x.shape),
        lambda: call.gradient,
        lambda: total[:1].reshape(call.inputs[2].shape),
    )


def _replaces(step: Step, constants: Collection[str]) -> str:
    how = step.operator.attributes.get("reduction", "none")
    return "" if how in ("none", "add") else f"its reduction is {how}"


@rule("Scatter", "ScatterElements", "ScatterND", inputs=(0, 2), indices=(1,), refuses=_replaces)
def _scatter(call: Call) -> ByInput:
    if call.attribute("reduction", "none") == "add":
        return call.each(lambda: call.gradient, lambda: call.gradient, lambda: _looked_up(call))
    data, indices, updates = call.inputs
    count = data.size
    given = [_numbered(call, data), indices, _numbered(call, updates, after=count)]
    total = _collected(call, call.operator, given, count + updates.size)
    return call.each(
        lambda: total[1 : count + 1].reshape(data.shape),
        lambda: call.gradient,
        lambda: total[count + 1 :].reshape(updates.shape),
    )


def _looked_up(call: Call) -> Array:
    """Return the gradient at the places that updates were added to."""
    if call.operator.op == "ScatterND":
        return call.operators.one("GatherND", call.gradient, call.inputs[1])
    axis = call.attribute("axis", 0)
    return call.operators.one("GatherElements", call.gradient, call.inputs[1], axis=axis)


@rule("TopK", indices=(1,))
def _top(call: Call) -> ByInput:
    nothing = call.xp.zeros(call.x.shape, call.gradient.dtype)
    axis = call.attribute("axis", -1)
    picked = call.outputs[1]
    return {0: call.operators.one("ScatterElements", nothing, picked, call.gradient, axis=axis)}


def _numbered(call: Call, array: Array, after: int = 0) -> Array:
    """Return the numbers of the elements of an array, counted on from `after`."""
    first = after + 1
    numbers = call.xp.arange(first, first + array.size, dtype=NUMBERED)
    return numbers.reshape(array.shape)


def _collected(call: Call, operator: Operator, inputs: Sequence[Array | None], count: int) -> Array:
    """Run the operator on numbers; return what each of 0 to `count` gets of the gradient."""
    (origin,) = call.operators.run(operator, inputs)
    weights = call.gradient.reshape(-1)
    places = origin.reshape(-1).astype(np.int64)
    return call.xp.bincount(places, weights=weights, minlength=count + 1)
