"""Sums, means, extremes and norms along axes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from onnxmem.arrays import Array
from onnxmem.gradients.registry import ByInput, Call, rule


def _axes(call: Call) -> tuple[int, ...]:
    """Return the axes that are reduced, counted from the first."""
    given, rank = call.numbers("axes", 1), call.x.ndim
    if not given:
        return () if call.attribute("noop_with_empty_axes", 0) else tuple(range(rank))
    return tuple(sorted(axis % rank for axis in given))


def _shown(call: Call, reduced: Array) -> Array:
    """Return what was reduced with its axes kept, as sizes of one."""
    axes = _axes(call)
    return reduced.reshape([1 if at in axes else n for at, n in enumerate(call.x.shape)])


def _spread(call: Call, share: Array) -> Array:
    return call.xp.broadcast_to(share, call.x.shape)


@rule("ReduceSum", indices=(1,))
def _sum(call: Call) -> ByInput:
    return {0: _spread(call, _shown(call, call.gradient))}


@rule("ReduceMean", indices=(1,))
def _mean(call: Call) -> ByInput:
    count = prod(call.x.shape[axis] for axis in _axes(call))
    return {0: _spread(call, _shown(call, call.gradient) / count)}


@rule("ReduceMax", "ReduceMin", indices=(1,))
def _extreme(call: Call) -> ByInput:
    """Elements that tie share the gradient."""
    hit = call.x == _shown(call, call.y)
    count = hit.sum(axis=_axes(call), keepdims=True).astype(call.x.dtype)
    return {0: call.xp.where(hit, _shown(call, call.gradient) / count, 0)}


@rule("ReduceProd", indices=(1,))
def _product(call: Call) -> ByInput:
    """Each element gets the product of the others, which no division by zero may tell."""
    axes, x = _axes(call), call.x
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    order = [*kept, *axes]
    moved = x.transpose(order)
    rows = moved.reshape(*moved.shape[: len(kept)], -1)
    others = call.xp.ones(rows.shape, rows.dtype)
    for gap in range(1, rows.shape[-1]):
        others = others * call.xp.concatenate([rows[..., gap:], rows[..., :gap]], axis=-1)
    back = sorted(range(x.ndim), key=order.__getitem__)
    return {0: _shown(call, call.gradient) * others.reshape(moved.shape).transpose(back)}


@rule("ReduceL1", indices=(1,))
def _l1(call: Call) -> ByInput:
    return {0: _shown(call, call.gradient) * call.xp.sign(call.x)}


@rule("ReduceL2", indices=(1,))
def _l2(call: Call) -> ByInput:
    """At zero the norm gets none."""
    norm = _shown(call, call.y)
    safe = call.xp.where(norm == 0, 1, norm)
    return {0: call.xp.where(norm == 0, 0, _shown(call, call.gradient) * call.x / safe)}


@rule("ReduceSumSquare", indices=(1,))
def _sum_square(call: Call) -> ByInput:
    return {0: 2 * _shown(call, call.gradient) * call.x}


@rule("ReduceLogSum", indices=(1,))
def _log_sum(call: Call) -> ByInput:
    return {0: _spread(call, _shown(call, call.gradient) / call.xp.exp(_shown(call, call.y)))}


@rule("ReduceLogSumExp", indices=(1,))
def _log_sum_exp(call: Call) -> ByInput:
    return {0: _shown(call, call.gradient) * call.xp.exp(call.x - _shown(call, call.y))}


@rule("CumSum", indices=(1,))
def _cumulative(call: Call) -> ByInput:
    """Each element went into all sums from it on; those add up from the other end."""
    turned = {**call.operator.attributes, "reverse": 1 - call.attribute("reverse", 0)}
    operator = replace(call.operator, attributes=turned)
    return {0: call.operators.run(operator, [call.gradient, call.inputs[1]])[0]}
