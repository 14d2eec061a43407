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

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.interface import LevelName, Run, check_matrix, check_ranks, one_by_one
from onnxmem.factorize.nmf import Components, Nmf
from onnxmem.factorize.pca import Pca, PrincipalComponents


@dataclass(frozen=True, slots=True)
class NmfRemoved:
    """Take out what the components H of a factorization W H span.

    Of the parts of a matrix that may be negative it is the differences of their halves.
    """

    name: str = "nmf_removed"
    x_name: LevelName = "rank"
    row_by_row: bool = False
    parts: bool = False
    nmf: Nmf = field(default_factory=Nmf)

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> WithoutComponents:
        """Run the sweep over the ranks; see `Compressor.fit`."""
        return self.fit_many([a], levels, seed)[0]

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[WithoutComponents]:
        """Run the sweeps of several matrices at once where that is faster; see `Nmf.fit_many`."""
        return [WithoutComponents(one) for one in self.nmf.fit_many(matrices, levels, seed, run)]

    def is_exact(self, level: float, limit: int) -> bool:
        """Return False: something is taken out at every rank; see `Compressor`."""
        return False

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count what the factorization holds; see `Compressor`."""
        return self.nmf.held_bytes(shape, levels)


@dataclass(frozen=True, slots=True)
class WithoutComponents:
    """A matrix without what the components of its factorization span."""

    components: Components

    def draws(self, level: float) -> int:
        """Return 1: the seed is fixed when the components are found."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return what is left; see `Compressed`."""
        rows = self.components.directions(int(level))
        return without(a, namespace(a).linalg.qr(rows.T.astype(np.float64))[0])


@dataclass(frozen=True, slots=True)
class PcaRemoved:
    """Take out the leading principal components; the mean stays but for its share in them."""

    name: str = "pca_removed"
    x_name: LevelName = "rank"
    row_by_row: bool = False
    parts: bool = False

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> WithoutPrincipal:
        """Find the components; `seed` has no part in it. See `Compressor.fit`."""
        return WithoutPrincipal(Pca().fit(a, levels, seed))

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
    """A matrix without its leading principal components."""

    principal: PrincipalComponents

    def draws(self, level: float) -> int:
        """Return 1: nothing here is random."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return what is left; see `Compressed`."""
        return without(a, self.principal.basis[:, : int(level)])


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

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> WithoutDrawn:
        """Draw the directions; see `Compressor.fit`."""
        check_matrix(a, signed=True)
        width = a.shape[1]
        count = min(max(check_ranks(levels), default=0), width)
        rng, xp = np.random.default_rng([seed, 0xD12E]), namespace(a)
        shapes = [(width, width)] * self.bases
        drawn = [np.linalg.qr(rng.normal(size=shape)[:, :count])[0] for shape in shapes]
        return WithoutDrawn(tuple(xp.asarray(one.astype(np.float32)) for one in drawn))

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
    """A matrix without drawn directions: for each draw a basis (q, r), orthonormal columns."""

    bases: tuple[Array, ...]

    def draws(self, level: float) -> int:
        """Return how many bases there are."""
        return len(self.bases)

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return what is left; see `Compressed`."""
        return without(a, self.bases[draw][:, : int(level)])


def without(a: Array, basis: Array) -> Array:
    """Return A − A Q Qᵀ (m, q), float32, for an orthonormal basis Q (q, k)."""
    xp = namespace(a)
    plain, q = a.astype(xp.float32), basis.astype(xp.float32)
    return plain - (plain @ q) @ q.T
