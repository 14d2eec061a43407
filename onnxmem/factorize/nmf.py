"""Non-negative matrix factorization as a compressor: the sweep, and W for rows it never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.chain import EFFORTS, solve_chain
from onnxmem.factorize.interface import LevelName, check_matrix, check_ranks
from onnxmem.factorize.kernel import sweep
from onnxmem.factorize.live import Live

_BLOCK = 8192
_RECOVERY_SWEEPS = 6
_RIDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Nmf:
    """Replace A by W H of rank k, both non-negative.

    Attributes:
        rows: H comes from at most this many rows, a seeded sample where there are more.
    """

    rows: int = 4000
    name: str = "nmf"
    x_name: LevelName = "rank"

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> Components:
        """Run the sweep over the ranks; see `Compressor.fit`."""
        check_matrix(a, signed=False)
        limit = min(int(a.any(axis=1).sum()), int(a.any(axis=0).sum()))
        ranks = [rank for rank in check_ranks(levels) if rank < limit]
        sampled = len(a) > self.rows
        live = Live.of(sample_rows(a, self.rows, seed) if sampled else a)
        pairs = solve_chain(live.a, ranks, seed, EFFORTS["default"])
        return Components(
            limit=limit,
            live=live.without_values(),
            h={len(pair.h): pair.h for pair in pairs},
            w=None if sampled else {len(pair.w): pair.w for pair in pairs},
        )


@dataclass(frozen=True, slots=True)
class Components:
    """The components of every rank, in the scale and the columns of the live part.

    Attributes:
        limit: min(live rows, live columns); from this rank on the approximation is exact.
        live: where the live part lies.
        h: rank -> (k, q_live).
        w: rank -> (k, m_live); None where `h` comes from a sample of the rows.
    """

    limit: int
    live: Live
    h: dict[int, Array]
    w: dict[int, Array] | None

    def draws(self, level: float) -> int:
        """Return 1: the seed is fixed when the components are found."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return W H, or `a` itself from rank `limit` on; see `Compressed`."""
        xp = namespace(a)
        if level >= self.limit:
            return a.astype(xp.float32, copy=False)
        h = self.h[int(level)]
        if self.w is not None:
            return self.live.embed(self.w[int(level)].T @ h)
        approximation = xp.zeros(a.shape, xp.float32)
        for start in range(0, len(a), _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = self.live.scaled(a[block])
            approximation[block, self.live.columns] = self.live.unscaled(recover(h, rows).T @ h)
        return approximation


def sample_rows(a: Array, count: int, seed: int) -> Array:
    """Return `count` seeded rows of `a`, in their order."""
    chosen = np.random.default_rng(seed).choice(len(a), count, replace=False)
    return a[namespace(a).asarray(np.sort(chosen))]


def recover(h: Array, a: Array) -> Array:
    """Return w (k, m) >= 0 with a ≈ wᵀ h: clipped ridge least squares, then coordinate sweeps."""
    xp = namespace(h)
    gram, cross = h @ h.T, h @ a.T
    ridge = _RIDGE * float(xp.trace(gram)) / len(h)
    w = xp.linalg.solve(gram + ridge * xp.eye(len(h), dtype=h.dtype), cross)
    xp.maximum(w, 0, out=w)
    sweep(w, gram, cross, _RECOVERY_SWEEPS)
    return w
