"""Principal component analysis: the best approximation of a rank, without any sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.interface import LevelName, Run, check_matrix, check_ranks, one_by_one

_BLOCK = 8192
"""Rows that are centred at once."""


@dataclass(frozen=True, slots=True)
class Pca:
    """Keep the mean row and the leading principal components of the centred matrix.

    Rank k means k components beside the mean; the approximation may be negative.
    """

    name: str = "pca"
    x_name: LevelName = "rank"
    row_by_row: bool = False
    parts: bool = False

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> PrincipalComponents:
        """Find the components; `seed` has no part in it. See `Compressor.fit`."""
        check_matrix(a, signed=True)
        ranks = check_ranks(levels)
        xp = namespace(a)
        mean = a.mean(axis=0, dtype=xp.float64)
        count = min(ranks[-1], *a.shape) if ranks else 0
        basis = _row_basis(a, mean) if a.shape[1] <= a.shape[0] else _column_basis(a, mean)
        return PrincipalComponents(mean.astype(xp.float32), basis[:, :count].astype(xp.float32))

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[PrincipalComponents]:
        """Fit one matrix after the other; see `Compressor.fit_many`."""
        return run(lambda a: self.fit(a, levels, seed), matrices)

    def is_exact(self, level: float, limit: int) -> bool:
        """Return False: at every rank the matrix is projected; see `Compressor`."""
        return False

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count the mean and the components; see `Compressor`."""
        return 4 * shape[1] * (1 + min(int(max(levels, default=0)), *shape))


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """`mean` (q,) and `basis` (q, r), orthonormal columns by falling variance; float32."""

    mean: Array
    basis: Array

    def draws(self, level: float) -> int:
        """Return 1: nothing here is random."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return the rows of `a` projected on the leading components; see `Compressed`."""
        xp = namespace(a)
        basis = self.basis[:, : int(level)]
        scores = (a.astype(xp.float32) - self.mean) @ basis
        approximation = scores @ basis.T
        approximation += self.mean
        return approximation


def _row_basis(a: Array, mean: Array) -> Array:
    """Return the eigenvectors of the (q, q) covariance, the largest eigenvalue first."""
    xp = namespace(a)
    gram = xp.zeros((len(mean), len(mean)), xp.float64)
    for start in range(0, len(a), _BLOCK):
        rows = a[start : start + _BLOCK] - mean
        gram += rows.T @ rows
    return xp.linalg.eigh(gram)[1][:, ::-1]


def _column_basis(a: Array, mean: Array) -> Array:
    """Return the same through the (m, m) Gram matrix; zero columns where no variance is left."""
    xp = namespace(a)
    centred = a - mean
    values, vectors = xp.linalg.eigh(centred @ centred.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    enough = values > max(a.shape) * np.finfo(np.float64).eps * values[0]
    inverse = xp.where(enough, 1 / xp.sqrt(xp.where(enough, values, 1)), 0)
    return (centred.T @ vectors) * inverse
