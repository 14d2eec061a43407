"""Non-negative matrix factorization as a compressor: the sweep, and W for rows it never saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import chain as joined

from onnxmem.arrays import Array, is_cupy, namespace
from onnxmem.factorize.chain import EFFORTS, Chain
from onnxmem.factorize.interface import LevelName, Run, check_matrix, check_ranks, one_by_one
from onnxmem.factorize.live import Live, exact_factors
from onnxmem.factorize.sampling import recover, rows_in_use, sample_rows
from onnxmem.factorize.stack import padded_shape, stack

_BLOCK = 8192
"""Rows outside the sample whose W is found at once."""

_SMALL = 1 << 14
"""Values of a matrix up to which stacks of them are faster than one after the other."""

_EFFORT = EFFORTS["fast"]
"""Accuracies do not move with the last percent of an error."""


@dataclass(frozen=True, slots=True)
class Nmf:
    """Replace A by W H of rank k, both non-negative.

    With `parts` A may be negative. Its positive and its negative part, A = A⁺ − A⁻, are then
    factorized side by side as one matrix [A⁺, A⁻] (m, 2 q), and A is replaced by the difference of
    the halves of W H. Where A holds nothing negative that is the factorization of A. It is no
    method of the paper that the audits follow.

    Attributes:
        parts: whether to factorize the parts.
        rows: the most rows of which H is found. Where there are over twice as many as a seeded
            sample would hold (16 for each live column, 1024 at least), it is found of that.
    """

    rows: int = 4000
    name: str = "nmf"
    x_name: LevelName = "rank"
    row_by_row: bool = False
    parts: bool = False

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> Components:
        """Run the sweep over the ranks; see `Compressor.fit`."""
        return self.fit_many([a], levels, seed)[0]

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[Components]:
        """Run the sweeps of several matrices at once where that is faster.

        That is on a GPU, and where the matrices are small. On the CPU the result for a matrix is
        bit for bit that of `fit`, whatever the others are; on a GPU it may differ by rounding.
        """
        plans: dict[int, _Plan] = {}
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for number, a in enumerate(matrices):
            key: Hashable = number
            if is_cupy(a) or a.size <= _SMALL:
                plan = plans[number] = self._plan(a, levels, seed)
                key = (padded_shape(plan.live.a), tuple(plan.hard))
            groups[key].append(number)

        def solve(group: list[int]) -> list[Components]:
            chosen = [plans.get(n) or self._plan(matrices[n], levels, seed) for n in group]
            return _solve(chosen, seed)

        found = run(solve, groups.values())
        numbers = [number for group in groups.values() for number in group]
        by_number = dict(zip(numbers, joined.from_iterable(found), strict=True))
        return [by_number[number] for number in range(len(matrices))]

    def is_exact(self, level: float, limit: int) -> bool:
        """Tell whether the rank is that of the exact factorization; see `Compressor`."""
        return level >= limit

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count the pairs at all levels, the matrix twice and its Gram matrix; see `Compressor`."""
        columns = shape[1] * (2 if self.parts else 1)
        rows = rows_in_use(shape[0], columns, self.rows)
        values = int(sum(levels)) * (rows + columns) + 2 * rows * columns + min(rows, columns) ** 2
        return 4 * values

    def _plan(self, a: Array, levels: tuple[float, ...], seed: int) -> _Plan:
        check_matrix(a, signed=self.parts)
        a = side_by_side(a) if self.parts else a
        limit = min(int(a.any(axis=1).sum()), int(a.any(axis=0).sum()))
        ranks = [rank for rank in check_ranks(levels) if rank < limit]
        sample = sample_rows(a, seed, self.rows)
        live = Live.of(a if sample is None else sample)
        return _Plan(limit, ranks, live, sample is not None, self.parts)


def side_by_side(a: Array) -> Array:
    """Return the positive and the negative part of `a` (m, q) as one matrix (m, 2 q) >= 0."""
    xp = namespace(a)
    return xp.concatenate([xp.maximum(a, 0), xp.maximum(-a, 0)], axis=1)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be found for one matrix.

    Attributes:
        limit: min(live rows, live columns) of the matrix.
        ranks: those below `limit`.
        live: the live part of the matrix or of a sample of its rows.
        sampled: which of the two.
        parts: whether it holds the parts of a matrix side by side.
    """

    limit: int
    ranks: list[int]
    live: Live
    sampled: bool
    parts: bool

    @property
    def hard(self) -> list[int]:
        """The ranks at which the live part has no exact factorization."""
        return [rank for rank in self.ranks if rank < self.live.limit]


def _solve(plans: list[_Plan], seed: int) -> list[Components]:
    ranks = max((plan.hard for plan in plans), key=len)
    stacked = stack([plan.live.a for plan in plans])
    chain = Chain(stacked, ranks, seed, _EFFORT)
    found = []
    for number, plan in enumerate(plans):
        m, q = plan.live.a.shape
        live = replace(plan.live, a=stacked[number, :m, :q])  # no second copy is kept
        found.append(Components(plan.limit, live, plan.sampled, chain, number, plan.parts))
    return found


@dataclass(frozen=True, slots=True)
class Components:
    """The components of a matrix at every rank, found when they are asked for.

    Attributes:
        limit: min(live rows, live columns); from this rank on the approximation is exact.
        live: the live part of the matrix or of a sample of its rows.
        sampled: which of the two.
        chain: what is found for a stack of such parts.
        number: of this part in the stack.
        parts: whether the matrix holds the positive and the negative part of another one.
    """

    limit: int
    live: Live
    sampled: bool
    chain: Chain
    number: int
    parts: bool = False

    def draws(self, level: float) -> int:
        """Return 1: the seed is fixed when the components are found."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return W H, or `a` itself from rank `limit` on; see `Compressed`."""
        xp = namespace(a)
        if level >= self.limit:
            return a.astype(xp.float32, copy=False)
        w, h = self._factors(int(level))
        if not self.sampled:
            return self._joined(self.live.embed(w.T @ h))
        approximation = xp.zeros(a.shape, xp.float32)
        for start in range(0, len(a), _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = self.live.scaled(side_by_side(a[block]) if self.parts else a[block])
            wide = xp.zeros((len(rows), len(self.live.columns)), xp.float32)
            wide[:, self.live.columns] = self.live.unscaled(recover(h, h @ rows.T).T @ h)
            approximation[block] = self._joined(wide)
        return approximation

    def directions(self, rank: int) -> Array:
        """Return the components (k, q) of a rank as rows of the matrix; from `limit` on all axes.

        Of the parts of a matrix they are the differences of the halves.
        """
        xp = namespace(self.live.a)
        if rank >= self.limit:
            width = len(self.live.columns) // (2 if self.parts else 1)
            return xp.eye(width, dtype=xp.float32)
        _, h = self._factors(rank)
        wide = xp.zeros((len(h), len(self.live.columns)), xp.float32)
        wide[:, self.live.columns] = h
        return self._joined(wide)

    def _joined(self, values: Array) -> Array:
        """Return the difference of the halves of `values`, where these are parts."""
        half = values.shape[1] // 2
        return values[:, :half] - values[:, half:] if self.parts else values

    def _factors(self, rank: int) -> tuple[Array, Array]:
        """Return w (rank, m_live) and h (rank, q_live) of the live part."""
        m, q = self.live.a.shape
        if rank >= self.live.limit:
            return exact_factors(self.live.a, rank)
        pairs = self.chain.at(rank)
        return pairs.w[self.number, :, :m], pairs.h[self.number, :, :q]
