"""How good a factorization is: how far from the matrix, and from a stationary point."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxmem.factorize.compiled.jit import reordered

_ROWS = 128
"""Rows whose residual is formed at once: of 1000 columns it fills half of an L2 cache."""


@reordered
def squared_distance(a: Any, w: Any, h: Any) -> Any:
    """Return ‖a − wᵀ h‖² for a (m, q), w (k, m) and h (k, q), by blocks of rows."""
    (k, m), q = w.shape, h.shape[1]
    left = np.empty((_ROWS, k), np.float32)
    product = np.empty((_ROWS, q), np.float32)
    total = 0.0
    for top in range(0, m, _ROWS):
        count = min(_ROWS, m - top)
        for j in range(k):
            for i in range(count):
                left[i, j] = w[j, top + i]
        np.dot(left[:count], h, product[:count])
        for i in range(count):
            one, given, row = product[i], a[top + i], np.float32(0)
            for j in range(q):
                row += (given[j] - one[j]) ** 2
            total += float(row)
    return total


@reordered
def violation(factor: Any, gram: Any, data: Any) -> Any:
    """Return the norm of the projected gradient, gram factor − data, over that of `data`."""
    gradient = np.dot(gram, factor)
    total, size, zero = 0.0, 0.0, np.float32(0)
    for i in range(len(factor)):
        x, g, d, projected, own = factor[i], gradient[i], data[i], zero, zero
        for j in range(len(x)):
            step = g[j] - d[j]
            step = step if x[j] > zero else min(step, zero)
            projected += step * step
            own += d[j] * d[j]
        total += float(projected)
        size += float(own)
    return np.sqrt(total / size) if size > 0 else 0.0
