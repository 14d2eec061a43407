"""Non-negative matrix factorization as a compressor: the sweep, and W for rows it never saw."""

from __future__ import annotations

from dataclasses import dataclass

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.chain import EFFORTS, solve_chain
from onnxmem.factorize.interface import LevelName, check_matrix, check_ranks
from onnxmem.factorize.live import Live, exact_factors
from onnxmem.factorize.sampling import recover, sample_rows

_BLOCK = 8192
_EFFORT = EFFORTS["default"]


@dataclass(frozen=True, slots=True)
class Nmf:
    """Replace A by W H of rank k, both non-negative.

    Attributes:
        rows: a seeded sample of at most this many rows gives H where there are over twice as many.
    """

    rows: int = 4000
    name: str = "nmf"
    x_name: LevelName = "rank"
    row_by_row: bool = False

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> Components:
        """Run the sweep over the ranks; see `Compressor.fit`."""
        check_matrix(a, signed=False)
        limit = min(int(a.any(axis=1).sum()), int(a.any(axis=0).sum()))
        ranks = [rank for rank in check_ranks(levels) if rank < limit]
        sample = sample_rows(a, seed, self.rows)
        live = Live.of(a if sample is None else sample)
        pairs = solve_chain(live.a, [k for k in ranks if k < live.limit], seed, _EFFORT)
        factors = [(pair.w, pair.h) for pair in pairs]
        factors += [exact_factors(live.a, rank) for rank in ranks[len(pairs) :]]
        return Components(
            limit=limit,
            live=live.without_values(),
            h={len(h): h for _, h in factors},
            w={len(w): w for w, _ in factors} if sample is None else None,
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
