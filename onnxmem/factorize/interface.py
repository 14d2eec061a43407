"""The contract of a compressor, and what every one of them shares.

A compressor is fitted on one matrix A (m, q) for all levels at once and then gives the
approximation of A at any one of them. To add one: a file with a class that satisfies
`Compressor`, and a line in `registry.py`; then its name in `onnxmem.records.Curve`, and what
reports call it and how they draw it in `report/words.py` and `report/look.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, Literal, Protocol

import numpy as np

from onnxmem.arrays import Array, is_cupy, namespace
from onnxmem.errors import FactorizationError

Run = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]
"""Applies a function to items, like `map`."""

LevelName = Literal["rank", "fraction"]

DEFAULT_FRACTIONS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Kept fractions that an ablation curve is sampled at."""

LARGEST = float(np.finfo(np.float32).max)
"""The largest value of a matrix that is factorized."""

_LARGEST_TO_APPROXIMATE = 2.0**118
"""1024 times less than float32 holds, so that no row of an approximation goes beyond that."""

_SQUARABLE = 1e12
"""Matrices whose largest value is beyond this, or below its inverse, are scaled before a norm."""


class Compressed(Protocol):
    """A compressor fitted on one matrix."""

    def draws(self, level: float) -> int:
        """Return how many different approximations there are at `level`: 1 unless random."""
        ...

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return the approximation (m, q), float32, of the matrix that was fitted.

        Args:
            a: that very matrix; it is not kept between the calls, and not modified. Where the
                approximation is exact the result may be `a` itself.
            level: one of the levels that were fitted.
            draw: which of the `draws(level)` approximations.
        """
        ...


class Compressor(Protocol):
    """A way to approximate a matrix at several levels."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def x_name(self) -> LevelName:
        """What a level is: "rank", an int >= 1, or "fraction", a kept share in [0, 1]."""
        ...

    @property
    def row_by_row(self) -> bool:
        """Whether what becomes of a row depends on no other row of the matrix."""
        ...

    @property
    def parts(self) -> bool:
        """Whether the positive and the negative part of a matrix are compressed side by side."""
        ...

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> Compressed:
        """Prepare the approximations of `a` (m, q), a NumPy or CuPy array, at `levels`.

        Raises:
            FactorizationError: `a` or a level is none that this compressor takes.
        """
        ...

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = ...
    ) -> Sequence[Compressed]:
        """Do what `fit` does for each of `matrices`, of one library.

        Args:
            matrices: all of one library.
            levels: as for `fit`.
            seed: as for `fit`.
            run: applies a function to several items, at once where it can.
        """
        ...

    def is_exact(self, level: float, limit: int) -> bool:
        """Tell whether the approximation at `level` is the matrix itself.

        `limit` is min(live rows, live columns) of the matrix, or of its parts side by side.
        """
        ...

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Return about how many bytes are held for a matrix (m, q), at most, between two levels."""
        ...


def one_by_one(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Apply `function` to each of `items`, one after the other."""
    return [function(item) for item in items]


def default_ranks(limit: int) -> tuple[int, ...]:
    """Return 1, 2, 3, 4, 6, 8, 12, 16, 24, ... below `limit`, and `limit` (>= 1) itself."""
    powers = [1 << i for i in range(limit.bit_length())]
    ranks = {1, limit} | {k for p in powers for k in (p, 3 * p // 2) if k < limit}
    return tuple(sorted(ranks))


def relative_error(a: Array, approximation: Array) -> float:
    """Return ‖A − approximation‖ / ‖A‖ (Frobenius); 0 where both are all zero."""
    xp = namespace(a)
    difference = xp.asarray(approximation, xp.float32) - a
    largest = float(xp.abs(a).max()) or 1.0
    if not 1 / _SQUARABLE < largest < _SQUARABLE:
        difference, a = difference / largest, a / largest
    size, distance = float(xp.linalg.norm(a)), float(xp.linalg.norm(difference))
    return distance / size if size else distance


def check_matrix(a: Array, *, signed: bool, largest: float = _LARGEST_TO_APPROXIMATE) -> None:
    """Check that `a` can be compressed.

    Raises:
        FactorizationError: `a` is not an array, not a matrix, is empty, holds a non-finite value
            or one beyond `largest`, or a negative one where not `signed`.
    """
    if not (isinstance(a, np.ndarray) or is_cupy(a)):
        raise FactorizationError(f"no factors of a {type(a).__name__}; give a NumPy or CuPy array")
    if a.ndim != 2 or a.size == 0 or a.dtype.kind not in "fiub":
        raise FactorizationError(f"no factors of {a.dtype} {a.shape}; give a matrix of numbers")
    low, high = float(a.min()), float(a.max())
    if not (low >= -largest and high <= largest):
        raise FactorizationError(
            f"the matrix holds NaN, infinity or values beyond {largest:.1e}; "
            "remove the rows that do"
        )
    if low < 0 and not signed:
        raise FactorizationError(f"the matrix holds {low:g}; a factorization needs values >= 0")


def check_ranks(ranks: tuple[float, ...]) -> tuple[int, ...]:
    """Return `ranks` as ascending, distinct integers.

    Raises:
        FactorizationError: one of them is not an integer >= 1.
    """
    for rank in ranks:
        if not isinstance(rank, Real) or rank % 1 or rank < 1:
            raise FactorizationError(f"there is no rank {rank!r}; give integers from 1 on")
    return tuple(sorted({int(rank) for rank in ranks}))
