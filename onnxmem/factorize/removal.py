"""Taking directions out: what is left of a matrix without those that components span.

A becomes A − A Q Qᵀ, where the columns of Q are an orthonormal basis of the first k components of
NMF or PCA, or of k drawn directions as a control. Where accuracy falls with few of them a layer
hangs on few directions.

Source: figure 7 of Collins, Bigdeli, Süsstrunk (arXiv:1810.03372).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onnxmem.arrays import Array, namespace, to_host
from onnxmem.factorize.interface import (
    ALL,
    LevelName,
    Rows,
    Run,
    check_matrix,
    check_ranks,
    column_squares,
    one_by_one,
)
from onnxmem.factorize.nmf import Components, Nmf
from onnxmem.factorize.pca import Pca, PrincipalComponents

_BLOCK = 1024
"""Rows that are taken to double precision at once."""


@dataclass(frozen=True, slots=True)
class NmfRemoved:
    """Take out what the components H of a factorization W H span.

    Of the parts of a matrix that may be negative it is the differences of their halves.
    """

    name: str = "nmf_removed"
    x_name: LevelName = "rank"
    row_by_row: bool = False
    draws: int = 1
    parts: bool = False
    nmf: Nmf = field(default_factory=Nmf)

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> WithoutComponents:
        """Run the sweep over the ranks; see `Compressor.fit`."""
        return self.fit_many([a], levels, seed)[0]

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[WithoutComponents]:
        """Run the sweeps of several matrices at once where that is faster; see `Nmf.fit_many`."""
        found = self.nmf.fit_many(matrices, levels, seed, run)
        return [WithoutComponents(one, _scatter(a)) for one, a in zip(found, matrices, strict=True)]

    def is_exact(self, level: float, limit: int) -> bool:
        """Return False: something is taken out at every rank; see `Compressor`."""
        return False

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count what the factorization holds, and the scatter; see `Compressor`."""
        return self.nmf.held_bytes(shape, levels) + 8 * shape[1] ** 2


@dataclass(frozen=True, slots=True)
class WithoutComponents:
    """A matrix without what the components of its factorization span.

    Attributes:
        components: of the factorization.
        scatter: Aᵀ A (q, q), float64.
    """

    components: Components
    scatter: Array

    def draws(self, level: float) -> int:
        """Return 1: the seed is fixed when the components are found."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0, rows: Rows = ALL) -> Array:
        """Return what is left; see `Compressed`."""
        return without(a[rows], self._basis(level))

    def error(self, level: float, draw: int = 0) -> float:
        """Return the share that is taken out; see `Compressed`."""
        basis, xp = self._basis(level), namespace(self.scatter)
        out = float(((self.scatter @ basis) * basis).sum())
        return float(np.sqrt(max(out, 0.0) / (float(xp.trace(self.scatter)) or 1.0)))

    def is_exact(self, level: float) -> bool:
        """Return False: something is taken out at every rank."""
        return False

    def _basis(self, level: float) -> Array:
        rows = self.components.directions(int(level))
        return namespace(rows).linalg.qr(rows.T.astype(np.float64))[0]


@dataclass(frozen=True, slots=True)
class PcaRemoved:
    """Take out the leading principal components; the mean stays but for its share in them."""

    name: str = "pca_removed"
    x_name: LevelName = "rank"
    row_by_row: bool = False
    draws: int = 1
    parts: bool = False

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> WithoutPrincipal:
        """Find the components; `seed` has no part in it. See `Compressor.fit`."""
        principal = Pca().fit(a, levels, seed)
        return WithoutPrincipal(principal, _taken_out(a, principal.basis))

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[WithoutPrincipal]:
        """Fit one matrix after the other; see `Compressor.fit_many`."""
        return run(lambda a: self.fit(a, levels, seed), matrices)

    def is_exact(self, level: float, limit: int) -> bool:
        """Return False: something is taken out at every rank; see `Compressor`."""
        return False

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count the mean and the components; see `Compressor`."""
        return Pca().held_bytes(shape, levels)


@dataclass(frozen=True, slots=True)
class WithoutPrincipal:
    """A matrix without its leading principal components.

    Attributes:
        principal: the components.
        errors: (r + 1,) the share that is taken out with each number of them.
    """

    principal: PrincipalComponents
    errors: np.ndarray

    def draws(self, level: float) -> int:
        """Return 1: nothing here is random."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0, rows: Rows = ALL) -> Array:
        """Return what is left; see `Compressed`."""
        return without(a[rows], self.principal.basis[:, : int(level)])

    def error(self, level: float, draw: int = 0) -> float:
        """Return the share that is taken out; see `Compressed`."""
        return float(self.errors[min(int(level), len(self.errors) - 1)])

    def is_exact(self, level: float) -> bool:
        """Return False: something is taken out at every rank."""
        return False


@dataclass(frozen=True, slots=True)
class RandomRemoved:
    """Take out drawn directions, the control of the others.

    Attributes:
        bases: how many draws there are. Within one, what a lower rank takes out a higher one does.
    """

    bases: int = 3
    name: str = "random_removed"
    x_name: LevelName = "rank"
    row_by_row: bool = True
    parts: bool = False

    @property
    def draws(self) -> int:
        """How many random choices there are at a level."""
        return self.bases

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> WithoutDrawn:
        """Draw the directions; see `Compressor.fit`."""
        check_matrix(a, signed=True)
        width = a.shape[1]
        count = min(max(check_ranks(levels), default=0), width)
        rng, xp = np.random.default_rng([seed, 0xD12E]), namespace(a)
        shapes = [(width, width)] * self.bases
        drawn = [np.linalg.qr(rng.normal(size=shape)[:, :count])[0] for shape in shapes]
        bases = tuple(xp.asarray(one.astype(np.float32)) for one in drawn)
        return WithoutDrawn(bases, np.stack([_taken_out(a, basis) for basis in bases]))

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[WithoutDrawn]:
        """Fit one matrix after the other; see `Compressor.fit_many`."""
        return run(lambda a: self.fit(a, levels, seed), matrices)

    def is_exact(self, level: float, limit: int) -> bool:
        """Return False: something is taken out at every rank; see `Compressor`."""
        return False

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count the directions; see `Compressor`."""
        return 4 * self.bases * shape[1] * min(int(max(levels, default=0)), shape[1])


@dataclass(frozen=True, slots=True)
class WithoutDrawn:
    """A matrix without drawn directions.

    Attributes:
        bases: for each draw a basis (q, r), orthonormal columns.
        errors: (draws, r + 1) the share that is taken out with each number of them.
    """

    bases: tuple[Array, ...]
    errors: np.ndarray

    def draws(self, level: float) -> int:
        """Return how many bases there are."""
        return len(self.bases)

    def approximate(self, a: Array, level: float, draw: int = 0, rows: Rows = ALL) -> Array:
        """Return what is left; see `Compressed`."""
        return without(a[rows], self.bases[draw][:, : int(level)])

    def error(self, level: float, draw: int = 0) -> float:
        """Return the share that is taken out; see `Compressed`."""
        return float(self.errors[draw, min(int(level), self.errors.shape[1] - 1)])

    def is_exact(self, level: float) -> bool:
        """Return False: something is taken out at every rank."""
        return False


def without(a: Array, basis: Array) -> Array:
    """Return A − A Q Qᵀ (m, q), float32, for an orthonormal basis Q (q, k)."""
    xp = namespace(a)
    plain, q = a.astype(xp.float32), basis.astype(xp.float32)
    return plain - (plain @ q) @ q.T


def _scatter(a: Array) -> Array:
    """Return Aᵀ A (q, q), float64, of `a` (m, q)."""
    xp = namespace(a)
    total = xp.zeros((a.shape[1], a.shape[1]), xp.float64)
    for start in range(0, len(a), _BLOCK):
        rows = a[start : start + _BLOCK].astype(xp.float64)
        total += rows.T @ rows
    return total


def _taken_out(a: Array, basis: Array) -> np.ndarray:
    """Return ‖A Q‖ / ‖A‖ for the first 0, 1, ... columns of Q (q, r), as (r + 1,)."""
    part = to_host(column_squares(a.astype(basis.dtype) @ basis)).cumsum()
    square = float(column_squares(a).sum()) or 1.0
    return np.sqrt(np.append(0.0, part) / square)
