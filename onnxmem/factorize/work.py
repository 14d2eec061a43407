"""How the work of a compressor grows with a matrix and its levels, up to a factor.

What was measured on one matrix is scaled by it to others; see `onnxmem.auditing.plan_rates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from onnxmem.factorize.chain import LEAST, MARGIN
from onnxmem.factorize.interface import Compressor
from onnxmem.factorize.sampling import rows_in_use

_EIGEN = 20
"""Multiplications of an eigendecomposition, for each cubed size."""

_VALUES = 2
"""What is done to a value of a factor in an iteration, beside products, for each component."""


def fitting_work(method: Compressor, shape: tuple[int, int], levels: Sequence[float]) -> float:
    """Return the multiplications of a fit of a matrix (m, q) at levels that are not exact."""
    family = method.name.removesuffix("_removed")
    if family == "nmf":
        rows, columns = rows_in_use(shape[0], shape[1] * (1 + method.parts)), shape[1]
        return sum(_iteration(rows, columns * (1 + method.parts), int(rank)) for rank in levels)
    if family == "pca":
        short, long = sorted(shape)
        return float(short**2 * (long + _EIGEN * short))
    return float(prod(shape) if method.x_name == "fraction" else shape[1] ** 3)


def _iteration(rows: int, columns: int, rank: int) -> float:
    """Return the multiplications of an iteration with both factors; see `solve_chain`."""
    kept = max(1 << (rank - 1).bit_length(), LEAST) + MARGIN
    product = min(rows * columns, 2 * kept * (rows + columns))
    return float(rank * (2 * product + _VALUES * rank * (rows + columns)))


def product_work(method: Compressor, shape: tuple[int, int], level: float) -> float:
    """Return the multiplications that it takes to make the approximation at a level of factors."""
    if method.x_name == "fraction":
        return 0.0
    rank = min(int(level), *shape)
    return float(shape[0] * rank * (2 * shape[1] * (1 + method.parts) + rank))
