"""Principal component analysis: the best approximation of a rank, without any sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace, to_host
from onnxmem.factorize.interface import (
    ALL,
    LevelName,
    Rows,
    Run,
    check_matrix,
    check_ranks,
    one_by_one,
)

_BLOCK = 8192
"""Rows that are centred at once."""

_ROUNDING = 1e-6
"""The error of float32: an approximation that is not further off is the matrix itself."""


@dataclass(frozen=True, slots=True)
class Pca:
    """Keep the mean row and the leading principal components of the centred matrix.

    Rank k means k components beside the mean; the approximation may be negative.
    """

    name: str = "pca"
    x_name: LevelName = "rank"
    row_by_row: bool = False
    draws: int = 1
    parts: bool = False

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> PrincipalComponents:
        """Find the components; `seed` has no part in it. See `Compressor.fit`."""
        check_matrix(a, signed=True)
        ranks = check_ranks(levels)
        xp = namespace(a)
        mean = a.mean(axis=0, dtype=xp.float64)
        count = min(ranks[-1], *a.shape) if ranks else 0
        find = _row_basis if a.shape[1] <= a.shape[0] else _column_basis
        variances, basis = find(a, mean)
        square = variances.sum() + len(a) * float(mean @ mean)
        left = np.append(variances[::-1].cumsum()[::-1], 0.0)[: count + 1]
        errors = np.sqrt(left / (square or 1.0))
        kept = basis[:, :count].astype(xp.float32)
        return PrincipalComponents(mean.astype(xp.float32), kept, errors)

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[PrincipalComponents]:
        """Fit one matrix after the other; see `Compressor.fit_many`."""
        return run(lambda a: self.fit(a, levels, seed), matrices)

    def is_exact(self, level: float, limit: int) -> bool:
        """Tell whether there are components for every live row or column; see `Compressor`."""
        return level >= limit

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count the mean and the components; see `Compressor`."""
        return 4 * shape[1] * (1 + min(int(max(levels, default=0)), *shape))


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """The mean, and the components by falling variance.

    Attributes:
        mean: (q,) float32.
        basis: (q, r) float32, orthonormal columns.
        errors: (r + 1,) relative error of an approximation of each rank from 0 on.
    """

    mean: Array
    basis: Array
    errors: np.ndarray

    def draws(self, level: float) -> int:
        """Return 1: nothing here is random."""
        return 1

    def approximate(self, a: Array, level: float, draw: int = 0, rows: Rows = ALL) -> Array:
        """Return the rows of `a` projected on the leading components; see `Compressed`."""
        xp = namespace(a)
        part = a[rows].astype(xp.float32, copy=False)
        if self.is_exact(level):
            return part
        basis = self.basis[:, : int(level)]
        scores = (part - self.mean) @ basis
        approximation = scores @ basis.T
        approximation += self.mean
        return approximation

    def error(self, level: float, draw: int = 0) -> float:
        """Return the root of the variance that is left out, over ‖A‖; see `Compressed`."""
        return float(self.errors[min(int(level), len(self.errors) - 1)])

    def is_exact(self, level: float) -> bool:
        """Tell whether no more than rounding is left out."""
        return self.error(level) <= _ROUNDING


def _row_basis(a: Array, mean: Array) -> tuple[np.ndarray, Array]:
    """Return the eigenvalues of the (q, q) scatter and its eigenvectors, the largest first."""
    xp = namespace(a)
    gram = xp.zeros((len(mean), len(mean)), xp.float64)
    for start in range(0, len(a), _BLOCK):
        rows = a[start : start + _BLOCK] - mean
        gram += rows.T @ rows
    values, vectors = xp.linalg.eigh(gram)
    return _variances(values), vectors[:, ::-1]


def _column_basis(a: Array, mean: Array) -> tuple[np.ndarray, Array]:
    """Return the same through the (m, m) Gram matrix; zero columns where no variance is left."""
    xp = namespace(a)
    centred = a - mean
    values, vectors = xp.linalg.eigh(centred @ centred.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    enough = values > max(a.shape) * np.finfo(np.float64).eps * values[0]
    inverse = xp.where(enough, 1 / xp.sqrt(xp.where(enough, values, 1)), 0)
    return _variances(values[::-1]), (centred.T @ vectors) * inverse


def _variances(values: Array) -> np.ndarray:
    """Return ascending eigenvalues in falling order, without the negative ones of rounding."""
    falling: np.ndarray = to_host(values)[::-1]
    return falling.clip(min=0.0)
