"""The innermost loops, compiled by Numba: the extra `fast`.

Serial and without atomics, so results depend on nothing but the input; the interpreter lock is
released, so batches run side by side. Compiled once for a machine and kept on disk, next to this
file or, where that is read-only, in the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

NAME = f"numba {numba.__version__}"
ENABLED = not numba.config.DISABLE_JIT

_PANEL = 256
"""Columns that are worked on at once: with 50 components they fill a tenth of an L2 cache."""

_BLOCK = 4
"""Components that are taken together: each value that is loaded serves four sums."""


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
def _sweep(w: Any, gram: Any, cross: Any, sweeps: int) -> None:
    problems, k, m = w.shape
    padded = -(-k // _BLOCK) * _BLOCK
    weights = np.zeros((padded, padded), np.float32)
    inverse = np.zeros(padded, np.float32)
    panel = np.zeros((padded, _PANEL), np.float32)
    goal = np.zeros((padded, _PANEL), np.float32)
    sums = np.zeros((_BLOCK, _PANEL), np.float32)
    for p in range(problems):
        for j in range(k):
            size = gram[p, j, j]
            inverse[j] = np.float32(1) / size if size > 0 else np.float32(0)
            for other in range(k):
                weights[j, other] = -gram[p, j, other] * inverse[j]
            weights[j, j] = 0
        for first in range(0, m, _PANEL):
            count = min(_PANEL, m - first)
            last = first + count
            for j in range(k):
                _scale(panel[j], w[p, j, first:last], np.float32(1))
                _scale(goal[j], cross[p, j, first:last], inverse[j])
            _sweep_panel(panel, goal, weights, sums, sweeps, count)
            for j in range(k):
                _scale(w[p, j, first:last], panel[j, :count], np.float32(1))


@_compile
def _advance(new: Any, old: Any, rate: Any, ahead: Any) -> None:
    for p in range(len(new)):
        step = rate[p]
        for j in range(new.shape[1]):
            n, o, a = new[p, j], old[p, j], ahead[p, j]
            for i in range(len(n)):
                a[i] = max(n[i] + step * (n[i] - o[i]), np.float32(0))


def sweep(w: np.ndarray, gram: np.ndarray, cross: np.ndarray, sweeps: int) -> None:
    """Do what `kernel.sweep` says, on stacks."""
    _sweep(w, gram, cross, sweeps)


def advance(new: np.ndarray, old: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Do what `kernel.advance` says, on stacks."""
    ahead = np.empty_like(new)
    _advance(new, old, rate, ahead)
    return ahead
