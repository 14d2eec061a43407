"""Attention, and the rotation of what it compares."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from onnxmem.arrays import Array
from onnxmem.gradients.registry import MICROSOFT, ByInput, Call, rule
from onnxmem.graph import Step


def _remembers(step: Step, constants: Collection[str]) -> str:
    return "with keys and values of the past" if any(step.inputs[4:]) else ""


@rule("Attention", inputs=(0, 1, 2, 3), refuses=_remembers)
def _attention(call: Call) -> ByInput:
    """Go back through softmax(scale Q Kᵀ + mask) V, which is computed again."""
    heads = _head_counts(call)
    query, key, value = (
        _by_head(one, count) for one, count in zip(call.inputs[:3], heads, strict=True)
    )
    groups = query.shape[1] // key.shape[1]
    keys, values = (_repeated(call, one, groups) for one in (key, value))
    scale = call.attribute("scale", 0.0) or 1 / math.sqrt(query.shape[-1])
    scores = scale * (query @ keys.swapaxes(-1, -2))
    cap = call.attribute("softcap", 0.0)
    capped = call.xp.tanh(scores / cap) if cap else scores
    share = _softmax(call, _masked(call, capped * cap if cap else scores))
    gradient = _by_head(call.gradient, heads[0])
    weighted = share * (gradient @ values.swapaxes(-1, -2))
    of_sum = weighted - share * weighted.sum(axis=-1, keepdims=True)
    of_scores = scale * (of_sum * (1 - capped * capped) if cap else of_sum)
    return call.each(
        lambda: _joined(of_scores @ keys, call.inputs[0]),
        lambda: _joined(_summed(of_scores.swapaxes(-1, -2) @ query, groups), call.inputs[1]),
        lambda: _joined(_summed(share.swapaxes(-1, -2) @ gradient, groups), call.inputs[2]),
        lambda: of_sum,
    )


def _head_counts(call: Call) -> tuple[int, int, int]:
    """Return how many heads queries, keys and values have."""
    query, key = call.inputs[:2]
    if query.ndim == 4:
        return query.shape[1], key.shape[1], key.shape[1]
    count, shared = call.attribute("q_num_heads", 1), call.attribute("kv_num_heads", 1)
    return count, shared, shared


def _by_head(array: Array, heads: int) -> Array:
    """Return (samples, heads, steps, features of each) of (samples, steps, features of all)."""
    if array.ndim == 4:
        return array
    return array.reshape(*array.shape[:2], heads, -1).transpose(0, 2, 1, 3)


def _joined(array: Array, like: Array) -> Array:
    """Undo `_by_head`."""
    return array if like.ndim == 4 else array.transpose(0, 2, 1, 3).reshape(like.shape)


def _repeated(call: Call, array: Array, groups: int) -> Array:
    """Return each head once for each of the queries that share it."""
    if groups == 1:
        return array
    samples, heads, *rest = array.shape
    wide = call.xp.broadcast_to(array[:, :, None], (samples, heads, groups, *rest))
    return wide.reshape(samples, heads * groups, *rest)


def _summed(array: Array, groups: int) -> Array:
    """Undo `_repeated`."""
    samples, heads, *rest = array.shape
    return array.reshape(samples, heads // groups, groups, *rest).sum(axis=2)


def _masked(call: Call, scores: Array) -> Array:
    """Return the scores with the mask added; what may not be seen has none."""
    xp, mask = call.xp, call.input(3)
    if call.attribute("is_causal", 0):
        rows, columns = (xp.arange(size) for size in scores.shape[-2:])
        scores = xp.where(columns <= rows[:, None], scores, -xp.inf)
    if mask is None:
        return scores
    return xp.where(mask, scores, -xp.inf) if mask.dtype == np.bool_ else scores + mask


def _softmax(call: Call, scores: Array) -> Array:
    """Return the softmax of each row, zeros where nothing may be seen."""
    xp, most = call.xp, scores.max(axis=-1, keepdims=True)
    odds = xp.exp(scores - xp.where(xp.isfinite(most), most, 0))
    total = odds.sum(axis=-1, keepdims=True)
    return odds / xp.where(total == 0, 1, total)


@rule("RotaryEmbedding", indices=(3,))
def _rotary(call: Call) -> ByInput:
    """Turn the gradient back, by the sines of the opposite angles."""
    x, cosines, sines = call.inputs[:3]
    given = [call.gradient, cosines, -sines, *call.inputs[3:]]
    return {0: call.operators.run(call.operator, given)[0].reshape(x.shape)}


@rule("RotaryEmbedding", domain=MICROSOFT, indices=(1,))
def _rotary_of_microsoft(call: Call) -> ByInput:
    x, places, cosines, sines = call.inputs
    given = [call.gradient, places, cosines, -sines]
    return {0: call.operators.run(call.operator, given)[0].reshape(x.shape)}
