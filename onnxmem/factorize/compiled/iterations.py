"""One rank of one problem: the iterations of `refine.py`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from onnxmem.factorize.compiled.jit import compiled
from onnxmem.factorize.compiled.products import multiply_twice, set_gram
from onnxmem.factorize.compiled.sweeps import sweep_one


@compiled
def _inner(a: Any, b: Any) -> Any:
    return np.float64(np.dot(a.ravel(), b.ravel()))


@compiled
def refined(matrices: Any, w: Any, h: Any, limits: Any, pace: Any, counts: Any) -> Any:
    """Improve the pair w (k, m), h (k, q), and return the best one measured with its loss."""
    first_t, second_t, first, second, width = matrices
    square, tolerance, least = limits
    rate, growth, cap_growth, cut = pace
    iterations, sweeps, patience, largest_shift = counts
    k = len(w)
    between = np.empty((k, width), np.float32)
    gram, own = np.empty((k, k), np.float32), np.empty((k, k), np.float32)
    cross_w, cross_h = np.empty_like(w), np.empty_like(h)
    ahead_w, ahead_h = w.copy(), h.copy()
    _balance(ahead_w, ahead_h, largest_shift)
    old_w, new_w, old_h, new_h = ahead_w.copy(), np.empty_like(w), ahead_h.copy(), np.empty_like(h)
    fresh_w, best_w, best_h, best_loss = np.empty_like(w), w, h, np.inf
    last_loss, cap, calm = np.inf, 1.0, 0
    for _ in range(iterations):
        set_gram(ahead_h, gram)
        multiply_twice(ahead_h, first_t, second_t, between, cross_w)
        sweep_one(new_w, ahead_w, gram, cross_w, sweeps)
        _advance(fresh_w, new_w, old_w, np.float32(rate))
        set_gram(fresh_w, gram)
        multiply_twice(fresh_w, first, second, between, cross_h)
        sweep_one(new_h, ahead_h, gram, cross_h, sweeps)
        set_gram(new_h, own)
        loss = max(square + _inner(gram, own) - 2 * _inner(cross_h, new_h), 0.0)
        push = rate
        if not loss <= last_loss:  # higher, or not a number
            if last_loss < best_loss:
                best_w, best_h, best_loss = ahead_w.copy(), old_h.copy(), last_loss
            calm, push, cap, rate = 0, 0.0, rate, rate / cut
        else:
            calm = calm + 1 if last_loss - loss <= tolerance * max(loss, least) else 0
            rate, cap = min(cap, growth * rate), min(1.0, cap_growth * cap)
        last_loss = loss
        ahead_w, fresh_w = fresh_w, ahead_w
        old_h, new_h = new_h, old_h
        if calm >= patience:
            break
        if push == 0:
            ahead_w[:] = new_w
        _advance(ahead_h, old_h, new_h, np.float32(push))
        old_w, new_w = new_w, old_w
    if last_loss < best_loss:
        return ahead_w, old_h, last_loss
    return best_w, best_h, best_loss


@compiled
def _balance(w: Any, h: Any, largest_shift: int) -> None:
    """Do what `refine.balanced` says, in place."""
    for j in range(len(w)):
        half = (math.frexp(_top(h[j]))[1] - math.frexp(_top(w[j]))[1]) // 2
        half = min(max(half, -largest_shift), largest_shift)
        if half != 0:
            w[j] *= np.float32(math.ldexp(1.0, half))
            h[j] *= np.float32(math.ldexp(1.0, -half))


@compiled
def _top(row: Any) -> Any:
    top = np.float32(0)
    for value in row:
        top = max(top, value)
    return top


@compiled
def _advance(ahead: Any, new: Any, old: Any, rate: Any) -> None:
    for j in range(len(new)):
        n, o, a = new[j], old[j], ahead[j]
        for i in range(len(n)):
            a[i] = max(n[i] + rate * (n[i] - o[i]), np.float32(0))
