"""The iterations and their innermost loops, compiled by Numba: the extra `fast`.

Serial and without atomics, so results depend on nothing but the input; the interpreter lock is
released, so batches run side by side. What is kept here takes stacks, as `kernel.py` does; the
modules take one problem, and what they call.

jit          how functions are compiled
products     of few components with a matrix, and with themselves
sweeps       over the coordinates of a factor
iterations   of a rank
seeds        from where they start
measures     of what they end with
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import scipy
import scipy.linalg.cython_blas  # what numpy.dot becomes, and whose threads are to be limited

from onnxmem.factorize.compiled.iterations import refined
from onnxmem.factorize.compiled.measures import squared_distance, violation
from onnxmem.factorize.compiled.products import forget, multiply, tile_bytes, tiles_of
from onnxmem.factorize.compiled.seeds import grown, merged
from onnxmem.factorize.compiled.sweeps import sweep_one
from onnxmem.factorize.refine import (
    CALM,
    CAP_GROWTH,
    CUT,
    GROWTH,
    LARGEST_SHIFT,
    RATE,
    Effort,
    Pairs,
)
from onnxmem.factorize.target import Target

__all__ = [
    "ENABLED",
    "NAME",
    "folder",
    "forget",
    "grow",
    "is_loaded",
    "merged",
    "product",
    "refine",
    "squared_distance",
    "sweep",
    "tile_bytes",
    "violation",
]

NAME = f"numba {numba.__version__}, scipy {scipy.__version__}"
ENABLED = not numba.config.DISABLE_JIT

_PACE = (RATE, GROWTH, CAP_GROWTH, CUT)
_NOTHING = np.zeros(0, np.float32)


def is_loaded() -> bool:
    """Tell whether this process has the iterations already."""
    return bool(refined.signatures)


def folder() -> str:
    """Return where what was compiled is kept; empty where there is no such place."""
    return str(refined.stats.cache_path or "")


def sweep(w: np.ndarray, gram: np.ndarray, cross: np.ndarray, sweeps: int) -> None:
    """Do what `kernel.sweep` says."""
    for one, *products in zip(w, gram, cross, strict=True):
        sweep_one(one, one, *products, sweeps)


def product(factor: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Do what `kernel.product` says."""
    result = np.empty((*factor.shape[:2], matrix.shape[2]), np.float32)
    for number, one in enumerate(result):
        multiply(np.ascontiguousarray(factor[number]), tiles_of(matrix, number), one)
    return result


def refine(target: Target, w: np.ndarray, h: np.ndarray, effort: Effort) -> Pairs:
    """Do what `refine.refine` says; no problem waits for another."""
    counts = (effort.iterations, effort.sweeps, CALM, LARGEST_SHIFT)
    found = []
    for number, square in enumerate(map(float, target.square)):
        limits = (square, 2 * effort.tolerance, effort.floor**2 * square)
        pair = (np.ascontiguousarray(factor[number]) for factor in (w, h))
        found.append(refined(_matrices(target, number), *pair, limits, _PACE, counts))
    best_w, best_h, losses = zip(*found, strict=True)
    return Pairs(_stacked(best_w), _stacked(best_h), np.array(losses))


def _matrices(target: Target, number: int) -> tuple[Any, ...]:
    """Return what h is multiplied by, in turn, and then what w is; without values where nothing."""
    left, left_t = tiles_of(target.left, number), tiles_of(target.left_t, number)
    if target.right is None or target.right_t is None:
        return left_t, _NOTHING, left, _NOTHING, 0
    right, right_t = tiles_of(target.right, number), tiles_of(target.right_t, number)
    return right_t, left_t, left, right, target.left.shape[2]


def grow(
    target: Target, w: np.ndarray, h: np.ndarray, noise: np.ndarray, power_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Do what `seeds.grow` says, from `noise` (n, q)."""
    noise = np.ascontiguousarray(noise)
    found = [
        grown(_matrices(target, number), *pair, noise, power_steps)
        for number, pair in enumerate(zip(*map(np.ascontiguousarray, (w, h)), strict=True))
    ]
    new_w, new_h = zip(*found, strict=True)
    return _stacked(new_w), _stacked(new_h)


def _stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    return parts[0][None] if len(parts) == 1 else np.stack(parts)
