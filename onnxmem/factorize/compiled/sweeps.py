"""Coordinate sweeps, by panels that fit a cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxmem.factorize.compiled.jit import compiled, inlined

_PANEL = 256
"""Columns that are worked on at once: with 50 components they fill a tenth of an L2 cache."""

_BLOCK = 4
"""Components that are taken together: each value that is loaded serves four sums."""

_LEAST = np.finfo(np.float32).tiny
"""The inverse of a smaller value may be infinite."""


@compiled
def _scale(to: Any, given: Any, factor: Any) -> None:
    for i in range(len(given)):
        to[i] = given[i] * factor


@inlined
def _add_block(
    to: Any, given: Any, start: int, j: int, weights: Any, panel: Any, count: int
) -> None:
    """Set `to` (4, c) to `given` plus the part of components j ... j + 3 in start ... start + 3."""
    t0, t1, t2, t3 = to[0], to[1], to[2], to[3]
    g0, g1, g2, g3 = given[0], given[1], given[2], given[3]
    x0, x1, x2, x3 = panel[j], panel[j + 1], panel[j + 2], panel[j + 3]
    a, b, c, d = weights[start], weights[start + 1], weights[start + 2], weights[start + 3]
    a0, a1, a2, a3 = a[j], a[j + 1], a[j + 2], a[j + 3]
    b0, b1, b2, b3 = b[j], b[j + 1], b[j + 2], b[j + 3]
    c0, c1, c2, c3 = c[j], c[j + 1], c[j + 2], c[j + 3]
    d0, d1, d2, d3 = d[j], d[j + 1], d[j + 2], d[j + 3]
    for i in range(count):
        y0, y1, y2, y3 = x0[i], x1[i], x2[i], x3[i]
        t0[i] = g0[i] + a0 * y0 + a1 * y1 + a2 * y2 + a3 * y3
        t1[i] = g1[i] + b0 * y0 + b1 * y1 + b2 * y2 + b3 * y3
        t2[i] = g2[i] + c0 * y0 + c1 * y1 + c2 * y2 + c3 * y3
        t3[i] = g3[i] + d0 * y0 + d1 * y1 + d2 * y2 + d3 * y3


@compiled
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
        y1, y2, y3 = w1[i], w2[i], w3[i]
        y0 = max(s0[i] + a1 * y1 + a2 * y2 + a3 * y3, zero)
        y1 = max(s1[i] + b0 * y0 + b2 * y2 + b3 * y3, zero)
        y2 = max(s2[i] + c0 * y0 + c1 * y1 + c3 * y3, zero)
        y3 = max(s3[i] + d0 * y0 + d1 * y1 + d2 * y2, zero)
        w0[i], w1[i], w2[i], w3[i] = y0, y1, y2, y3


@compiled
def _sweep_panel(panel: Any, goal: Any, weights: Any, sums: Any, sweeps: int, count: int) -> None:
    for _ in range(sweeps):
        for start in range(0, len(panel), _BLOCK):
            given = goal[start : start + _BLOCK]
            if len(panel) == _BLOCK:
                _settle(given, start, weights, panel, count)
                continue
            first = _BLOCK if start == 0 else 0
            _add_block(sums, given, start, first, weights, panel, count)
            for j in range(first + _BLOCK, len(panel), _BLOCK):
                if j != start:
                    _add_block(sums, sums, start, j, weights, panel, count)
            _settle(sums, start, weights, panel, count)


@compiled
def sweep_one(new: Any, given: Any, gram: Any, cross: Any, sweeps: int) -> None:
    """Do what `kernel.sweep` says, from `given`, which may be `new` itself."""
    k, m = given.shape
    padded = -(-k // _BLOCK) * _BLOCK
    weights = np.zeros((padded, padded), np.float32)
    inverse = np.zeros(padded, np.float32)
    panel = np.zeros((padded, _PANEL), np.float32)
    goal = np.zeros((padded, _PANEL), np.float32)
    sums = np.zeros((_BLOCK, _PANEL), np.float32)
    for j in range(k):
        inverse[j] = np.float32(1) / gram[j, j] if gram[j, j] >= _LEAST else np.float32(0)
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
