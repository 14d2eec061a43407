"""Products of few rows with a matrix that is used again and again, and with themselves.

BLAS packs what it multiplies, which takes longer than a product of few rows. OpenBLAS leaves that
out for products of at most 10⁶ multiplications on processors with AVX-512, and reaches their peak
there. So a matrix is kept in tiles; elsewhere it is one tile, and nothing is copied.
"""

from __future__ import annotations

import weakref
from typing import Any

import llvmlite.binding
import numpy as np

from onnxmem.factorize.compiled.jit import compiled, reordered

_AREA = 1 << 14 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 1 << 62
"""Values of a tile; times 61 components they are 10⁶."""

_LEAST_ROWS = 128
_LANES = 16
"""Columns of a tile are a multiple of so many, which one register holds."""


@compiled
def _copy_row(to: Any, given: Any) -> None:
    """Copy by values, which is compiled to wide moves as a copy of slices is not."""
    for i in range(len(given)):
        to[i] = given[i]


@compiled
def _add_row(to: Any, given: Any) -> None:
    for i in range(len(given)):
        to[i] += given[i]


@compiled
def _tile_shape(c: int, n: int) -> Any:
    rows = min(c, max(_LEAST_ROWS, _AREA // n))
    return rows, min(n, max(_AREA // rows // _LANES, 1) * _LANES)


_KEPT: dict[int, np.ndarray] = {}
"""The tiles of each stack (p, c n), by its identity, for as long as it lives at most."""


def tiles_of(stack: np.ndarray, number: int) -> np.ndarray:
    """Return the tiles of one matrix of a stack (p, c, n), flat; memory that is not to be written.

    They are made once for all matrices of a stack.
    """
    if not tile_bytes(*stack.shape[1:]):
        flat: np.ndarray = stack[number].reshape(-1)
        return flat
    tiles = _KEPT.get(id(stack))
    if tiles is None:
        tiles = np.empty((len(stack), stack[0].size), np.float32)
        for place, matrix in zip(tiles, stack, strict=True):
            _fill(place, matrix)
        weakref.finalize(stack, _KEPT.pop, id(stack), None)
        _KEPT[id(stack)] = tiles
    kept: np.ndarray = tiles[number]
    return kept


def forget(*stacks: np.ndarray) -> None:
    """Drop the tiles of some stacks; they are made again when they are needed."""
    for stack in stacks:
        _KEPT.pop(id(stack), None)


def tile_bytes(c: int, n: int) -> int:
    """Count the bytes of the tiles of a matrix (c, n): none where it is tiled as it is."""
    return 0 if _tile_shape(c, n)[1] == n else 4 * c * n


@compiled
def _fill(tiles: Any, matrix: Any) -> None:
    """Set `tiles` to those of `matrix` (c, n), row by row of tiles."""
    c, n = matrix.shape
    rows, columns = _tile_shape(c, n)
    place = 0
    for top in range(0, c, rows):
        for left in range(0, n, columns):
            right = min(left + columns, n)
            for i in range(top, min(top + rows, c)):
                _copy_row(tiles[place : place + right - left], matrix[i, left:right])
                place += right - left


@compiled
def multiply(factor: Any, tiles: Any, result: Any) -> None:
    """Set `result` (k, n) to factor (k, c) times a tiled matrix (c, n)."""
    k, c = factor.shape
    n = result.shape[1]
    rows, columns = _tile_shape(c, n)
    chunk = np.empty(k * rows if rows < c else 0, np.float32)
    part = np.empty(k * columns if rows < c or columns < n else 0, np.float32)
    place = 0
    for top in range(0, c, rows):
        count = min(rows, c - top)
        given = factor
        if count < c:
            given = chunk[: k * count].reshape(k, count)
            for i in range(k):
                _copy_row(given[i], factor[i, top : top + count])
        for left in range(0, n, columns):
            width = min(columns, n - left)
            tile = tiles[place : place + count * width].reshape(count, width)
            place += count * width
            if top == 0 and width == n:
                np.dot(given, tile, result)
                continue
            one = part[: k * width].reshape(k, width)
            np.dot(given, tile, one)
            for i in range(k):
                if top == 0:
                    _copy_row(result[i, left : left + width], one[i])
                else:
                    _add_row(result[i, left : left + width], one[i])


@compiled
def multiply_twice(factor: Any, first: Any, second: Any, between: Any, result: Any) -> None:
    """Multiply `factor` by one tiled matrix, and that by a second one if it has values."""
    if second.size == 0:
        multiply(factor, first, result)
    else:
        multiply(factor, first, between)
        multiply(between, second, result)


@reordered
def set_gram(factor: Any, gram: Any) -> None:
    """Set `gram` (k, k) to factor factorᵀ, by blocks of 4 x 4 on and below the diagonal.

    Rows beyond the last one are the last one.
    """
    k, m = factor.shape
    zero = np.float32(0)
    for i in range(0, k, 4):
        i1, i2, i3 = min(i + 1, k - 1), min(i + 2, k - 1), min(i + 3, k - 1)
        x0, x1, x2, x3 = factor[i], factor[i1], factor[i2], factor[i3]
        for j in range(0, i + 1, 4):
            j1, j2, j3 = min(j + 1, k - 1), min(j + 2, k - 1), min(j + 3, k - 1)
            y0, y1, y2, y3 = factor[j], factor[j1], factor[j2], factor[j3]
            s00, s01, s02, s03 = zero, zero, zero, zero
            s10, s11, s12, s13 = zero, zero, zero, zero
            s20, s21, s22, s23 = zero, zero, zero, zero
            s30, s31, s32, s33 = zero, zero, zero, zero
            for t in range(m):
                a0, a1, a2, a3 = x0[t], x1[t], x2[t], x3[t]
                b0, b1, b2, b3 = y0[t], y1[t], y2[t], y3[t]
                s00 += a0 * b0
                s01 += a0 * b1
                s02 += a0 * b2
                s03 += a0 * b3
                s10 += a1 * b0
                s11 += a1 * b1
                s12 += a1 * b2
                s13 += a1 * b3
                s20 += a2 * b0
                s21 += a2 * b1
                s22 += a2 * b2
                s23 += a2 * b3
                s30 += a3 * b0
                s31 += a3 * b1
                s32 += a3 * b2
                s33 += a3 * b3
            for row, a, b, c, d in (
                (i, s00, s01, s02, s03),
                (i1, s10, s11, s12, s13),
                (i2, s20, s21, s22, s23),
                (i3, s30, s31, s32, s33),
            ):
                gram[row, j], gram[row, j1], gram[row, j2], gram[row, j3] = a, b, c, d
                gram[j, row], gram[j1, row], gram[j2, row], gram[j3, row] = a, b, c, d
