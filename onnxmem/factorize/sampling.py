"""Tall matrices: components from a sample of the rows, then W for all of them."""

from __future__ import annotations

import numpy as np

from onnxmem.arrays import Array, namespace, to_host
from onnxmem.factorize.kernel import sweep

_ROWS_PER_COLUMN = 16
_LEAST_ROWS = 1024
"""A sample has so many rows for each live column, and at least so many in all."""

_SWEEPS = 6
_RIDGE = 1e-4
"""Of W for rows outside the sample: coordinate sweeps, and the ridge over the mean diagonal."""


def sample_rows(a: Array, seed: int, most: int | None = None) -> Array | None:
    """Return seeded live rows of `a` (m, q), enough to find its components.

    Args:
        a: the matrix; rows and columns that are all zero do not count.
        seed: of the choice.
        most: never more rows than this.

    Returns:
        The sample, or None where it would hold half of the live rows or more.
    """
    alive = to_host(a.any(axis=1)).nonzero()[0]
    count = rows_in_use(len(alive), int(a.any(axis=0).sum()), most)
    if count == len(alive):
        return None
    chosen = np.random.default_rng(seed).choice(alive, count, replace=False)
    return a[namespace(a).asarray(np.sort(chosen))]


def rows_in_use(rows: int, columns: int, most: int | None = None) -> int:
    """Return how many of so many live rows find the components: a sample, or all of them."""
    count = max(_ROWS_PER_COLUMN * columns, _LEAST_ROWS)
    if most is not None:
        count = min(count, most)
    return count if rows > 2 * count else rows


def recover(h: Array, cross: Array) -> Array:
    """Return w (k, m) >= 0 with A ≈ wᵀ h, for h (k, q) and cross = h Aᵀ (k, m).

    Clipped ridge least squares, then coordinate sweeps.
    """
    xp = namespace(h)
    gram = h @ h.T
    ridge = max(_RIDGE * float(xp.trace(gram)) / len(h), float(xp.finfo(h.dtype).tiny))
    w = xp.linalg.inv(gram + ridge * xp.eye(len(h), dtype=h.dtype)) @ cross
    xp.maximum(w, 0, out=w)
    sweep(w[None], gram[None], cross[None], _SWEEPS)
    return w
