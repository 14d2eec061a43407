"""The iterations and their innermost loops, compiled by Numba: the extra `fast`.

Serial and without atomics, so results depend on nothing but the input; the interpreter lock is
released, so batches run side by side. Compiled once for a machine and kept on disk, next to this
file or, where that is read-only, in the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import scipy
import scipy.linalg.cython_blas  # what numpy.dot becomes, and whose threads are to be limited

from onnxmem.factorize.refine import CALM, CAP_GROWTH, CUT, GROWTH, RATE, Effort, Pairs
from onnxmem.factorize.target import Target

NAME = f"numba {numba.__version__}, scipy {scipy.__version__}"
ENABLED = not numba.config.DISABLE_JIT

_PANEL = 256
"""Columns that are worked on at once: with 50 components they fill a tenth of an L2 cache."""

_BLOCK = 4
"""Components that are taken together: each value that is loaded serves four sums."""

_PACE = (RATE, GROWTH, CAP_GROWTH, CUT)
_NOTHING = np.zeros((0, 0), np.float32)


def _compile(function: Callable[..., Any]) -> Any:
    """Compile `function`, and keep the result where there is a place for it."""
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither this folder nor the user's cache can be written
        return numba.njit(**options)(function)


@_compile
def _scale(to: Any, given: Any, factor: Any) -> None:
    for i in range(len(given)):
        to[i] = given[i] * factor


@_compile
def _add_others(sums: Any, start: int, weights: Any, panel: Any, count: int) -> None:
    """Add to sums (4, c) the part of all components outside start ... start + 3."""
    s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
    for j in range(0, len(panel), 4):
        if j == start:
            continue
        x0, x1, x2, x3 = panel[j], panel[j + 1], panel[j + 2], panel[j + 3]
        a, b, c, d = weights[start], weights[start + 1], weights[start + 2], weights[start + 3]
        a0, a1, a2, a3 = a[j], a[j + 1], a[j + 2], a[j + 3]
        b0, b1, b2, b3 = b[j], b[j + 1], b[j + 2], b[j + 3]
        c0, c1, c2, c3 = c[j], c[j + 1], c[j + 2], c[j + 3]
        d0, d1, d2, d3 = d[j], d[j + 1], d[j + 2], d[j + 3]
        for i in range(count):
            s0[i] += a0 * x0[i] + a1 * x1[i] + a2 * x2[i] + a3 * x3[i]
            s1[i] += b0 * x0[i] + b1 * x1[i] + b2 * x2[i] + b3 * x3[i]
            s2[i] += c0 * x0[i] + c1 * x1[i] + c2 * x2[i] + c3 * x3[i]
            s3[i] += d0 * x0[i] + d1 * x1[i] + d2 * x2[i] + d3 * x3[i]


@_compile
def _settle(sums: Any, start: int, weights: Any, panel: Any, count: int) -> None:
    """Set the components start ... start + 3 in turn, given what all others add up to."""
    s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
    w0, w1, w2, w3 = panel[start], panel[start + 1], panel[start + 2], panel[start + 3]
    a, b, c, d = weights[start], weights[start + 1], weights[start + 2], weights[start + 3]
    a1, a2, a3 = a[start + 1], a[start + 2], a[start + 3]
    b0, b2, b3 = b[start], b[start + 2], b[start + 3]
    c0, c1, c3 = c[start], c[start + 1], c[start + 3]
    d0, d1, d2 = d[start], d[start + 1], d[start + 2]
    zero = np.float32(0)
    for i in range(count):
        w0[i] = max(s0[i] + a1 * w1[i] + a2 * w2[i] + a3 * w3[i], zero)
    for i in range(count):
        w1[i] = max(s1[i] + b0 * w0[i] + b2 * w2[i] + b3 * w3[i], zero)
    for i in range(count):
        w2[i] = max(s2[i] + c0 * w0[i] + c1 * w1[i] + c3 * w3[i], zero)
    for i in range(count):
        w3[i] = max(s3[i] + d0 * w0[i] + d1 * w1[i] + d2 * w2[i], zero)


@_compile
def _sweep_panel(panel: Any, goal: Any, weights: Any, sums: Any, sweeps: int, count: int) -> None:
    for _ in range(sweeps):
        for start in range(0, len(panel), _BLOCK):
            for j in range(_BLOCK):
                _scale(sums[j], goal[start + j, :count], np.float32(1))
            _add_others(sums, start, weights, panel, count)
            _settle(sums, start, weights, panel, count)


@_compile
def _sweep(new: Any, given: Any, gram: Any, cross: Any, sweeps: int) -> None:
    """Do what `kernel.sweep` says, from `given`, which may be `new` itself."""
    k, m = given.shape
    padded = -(-k // _BLOCK) * _BLOCK
    weights = np.zeros((padded, padded), np.float32)
    inverse = np.zeros(padded, np.float32)
    panel = np.zeros((padded, _PANEL), np.float32)
    goal = np.zeros((padded, _PANEL), np.float32)
    sums = np.zeros((_BLOCK, _PANEL), np.float32)
    for j in range(k):
        inverse[j] = np.float32(1) / gram[j, j] if gram[j, j] > 0 else np.float32(0)
        for other in range(k):
            weights[j, other] = -gram[j, other] * inverse[j]
        weights[j, j] = 0
    for first in range(0, m, _PANEL):
        count = min(_PANEL, m - first)
        last = first + count
        for j in range(k):
            _scale(panel[j], given[j, first:last], np.float32(1))
            _scale(goal[j], cross[j, first:last], inverse[j])
        _sweep_panel(panel, goal, weights, sums, sweeps, count)
        for j in range(k):
            _scale(new[j, first:last], panel[j, :count], np.float32(1))


@_compile
def _advance(ahead: Any, new: Any, old: Any, rate: Any) -> None:
    for j in range(len(new)):
        n, o, a = new[j], old[j], ahead[j]
        for i in range(len(n)):
            a[i] = max(n[i] + rate * (n[i] - o[i]), np.float32(0))


@_compile
def _copy(to: Any, given: Any) -> None:
    """Copy by rows, which is compiled to wide moves as a copy of all is not."""
    for j in range(len(to)):
        _scale(to[j], given[j], np.float32(1))


@_compile
def _product(factor: Any, first: Any, second: Any, between: Any, result: Any) -> None:
    """Multiply `factor` by one matrix, and by a second one if that has values."""
    if second.size == 0:
        np.dot(factor, first, result)
    else:
        np.dot(factor, first, between)
        np.dot(between, second, result)


@_compile
def _inner(a: Any, b: Any) -> Any:
    return np.float64(np.dot(a.ravel(), b.ravel()))


@_compile
def _refine(matrices: Any, w: Any, h: Any, limits: Any, pace: Any, counts: Any) -> Any:
    """Improve the pair w (k, m), h (k, q), and return the best one measured with its loss."""
    first_t, second_t, first, second = matrices
    square, tolerance, least = limits
    rate, growth, cap_growth, cut = pace
    iterations, sweeps, patience = counts
    k = len(w)
    between = np.empty((k, first.shape[1]), np.float32)
    gram, own = np.empty((k, k), np.float32), np.empty((k, k), np.float32)
    cross_w, cross_h = np.empty_like(w), np.empty_like(h)
    ahead_w, old_w, new_w = w.copy(), w.copy(), np.empty_like(w)
    ahead_h, old_h, new_h = h.copy(), h.copy(), np.empty_like(h)
    best_w, best_h, best_loss = w.copy(), h.copy(), np.inf
    last_loss, cap, calm = np.inf, 1.0, 0
    for _ in range(iterations):
        np.dot(ahead_h, ahead_h.T, gram)
        _product(ahead_h, first_t, second_t, between, cross_w)
        _sweep(new_w, ahead_w, gram, cross_w, sweeps)
        _advance(ahead_w, new_w, old_w, np.float32(rate))
        np.dot(ahead_w, ahead_w.T, gram)
        _product(ahead_w, first, second, between, cross_h)
        _sweep(new_h, ahead_h, gram, cross_h, sweeps)
        np.dot(new_h, new_h.T, own)
        loss = max(square + _inner(gram, own) - 2 * _inner(cross_h, new_h), 0.0)
        if loss < best_loss:
            best_loss = loss
            _copy(best_w, ahead_w)
            _copy(best_h, new_h)
        push = rate
        if loss > last_loss:
            calm, push, cap, rate = 0, 0.0, rate, rate / cut
            _copy(ahead_w, new_w)
        else:
            calm = calm + 1 if last_loss - loss <= tolerance * max(loss, least) else 0
            rate, cap = min(cap, growth * rate), min(1.0, cap_growth * cap)
        if calm >= patience:
            break
        last_loss = loss
        _advance(ahead_h, new_h, old_h, np.float32(push))
        old_w, new_w = new_w, old_w
        old_h, new_h = new_h, old_h
    return best_w, best_h, best_loss


def sweep(w: np.ndarray, gram: np.ndarray, cross: np.ndarray, sweeps: int) -> None:
    """Do what `kernel.sweep` says."""
    for one, *products in zip(w, gram, cross, strict=True):
        _sweep(one, one, *products, sweeps)


def refine(target: Target, w: np.ndarray, h: np.ndarray, effort: Effort) -> Pairs:
    """Do what `refine.refine` says; no problem waits for another."""
    counts = (effort.iterations, effort.sweeps, CALM)
    found = []
    for number, square in enumerate(map(float, target.square)):
        limits = (square, 2 * effort.tolerance, effort.floor**2 * square)
        pair = (np.ascontiguousarray(factor[number]) for factor in (w, h))
        found.append(_refine(_matrices(target, number), *pair, limits, _PACE, counts))
    best_w, best_h, losses = zip(*found, strict=True)
    return Pairs(np.stack(best_w), np.stack(best_h), np.array(losses))


def _matrices(target: Target, number: int) -> tuple[np.ndarray, ...]:
    """Return what h is multiplied by, in turn, and then what w is; without values where nothing."""
    left, left_t = target.left[number], target.left_t[number]
    if target.right is None or target.right_t is None:
        return left_t, _NOTHING, left, _NOTHING
    return target.right_t[number], left_t, left, target.right[number]
