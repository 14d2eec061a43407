"""The innermost loops of every factorization here, and which build of them runs.

A stack holds one matrix for each of several problems, (p, k, m), stored by component so that rows
are contiguous. The loops exist three times: here with NumPy, compiled by Numba (`compiled`, the
extra `fast`, taken where it can be imported) and for CUDA (`device.py`). They do the same
operations on the same values, so each loop gives the same up to rounding; a sweep of many loops may
end in another optimum now and then.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np

from onnxmem.arrays import Array, is_cupy, namespace

_BLOCK = 8
"""Components that are swept over together in large factors."""

_LARGE = 1 << 17
"""Values of a factor from which on several components at once are worth their bookkeeping."""

_LEAST = np.finfo(np.float32).tiny
"""The inverse of a smaller value may be infinite."""


@cache
def compiled() -> ModuleType | None:
    """Return the compiled loops, or None where Numba cannot be imported or is switched off."""
    try:
        from onnxmem.factorize import compiled as module
    except ImportError:
        return None
    return module if module.ENABLED else None


def kernel_name(on_device: bool) -> str:
    """Return what runs the innermost loops: "cuda", "numba" with its version, or "numpy"."""
    if on_device:
        return "cuda"
    module = compiled()
    return "numpy" if module is None else str(module.NAME)


def sweep(w: Array, gram: Array, cross: Array, sweeps: int) -> None:
    """Lower ½⟨gram, w wᵀ⟩ − ⟨cross, w⟩ over w >= 0 by coordinate sweeps, in place.

    With gram = H Hᵀ and cross = H Aᵀ that is ½‖A − wᵀ H‖² up to a constant. Each row of `w` is
    set in turn to its minimizer, the rest fixed (hierarchical alternating least squares:
    Cichocki & Phan 2009); repeating sweeps while gram and cross stay as they are is the
    acceleration of Gillis & Glineur 2012.

    Args:
        w: (p, k, m) float32 >= 0, C-contiguous, overwritten.
        gram: (p, k, k), symmetric positive semi-definite. A diagonal value that is zero or
            subnormal zeroes that row.
        cross: (p, k, m).
        sweeps: how many there are.
    """
    if is_cupy(w):
        from onnxmem.factorize import device

        device.sweep(w, gram, cross, sweeps)
    elif module := compiled():
        module.sweep(w, gram, cross, sweeps)
    else:
        _sweep(w, gram, cross, sweeps)


def product(factor: Array, matrix: Array) -> Array:
    """Return factor matrix, (p, k, n), of stacks (p, k, c) and (p, c, n).

    What the product needs of `matrix` is kept for the next one; see `forget`.
    """
    if not is_cupy(factor) and (module := compiled()):
        result: Array = module.product(factor, matrix)
        return result
    return factor @ matrix


def forget(*matrices: Array) -> None:
    """Free what products with these matrices (p, c, n) have kept."""
    if module := compiled():
        module.forget(*matrices)


def squared_distance(a: Array, w: Array, h: Array) -> float:
    """Return ‖a − wᵀ h‖² for a (m, q), w (k, m) and h (k, q), from the residual itself."""
    if not is_cupy(a) and (module := compiled()):
        return float(module.squared_distance(a, w, h))
    residual = w.T @ h
    residual -= a
    return float(namespace(a).linalg.norm(residual)) ** 2


def violation(factor: Array, gram: Array, data: Array) -> float:
    """Return the norm of the projected gradient, gram factor − data, over that of `data`."""
    if not is_cupy(factor) and (module := compiled()):
        return float(module.violation(factor, gram, data))
    xp = namespace(factor)
    gradient = gram @ factor
    gradient -= data
    projected = xp.where(factor > 0, gradient, xp.minimum(gradient, 0))
    size = float(xp.linalg.norm(data))
    return float(xp.linalg.norm(projected)) / size if size else 0.0


def advance(new: Array, old: Array, rate: Array) -> Array:
    """Return max(new + rate (new − old), 0): the step from `old` to `new`, pushed further.

    Args:
        new: (p, k, m) float32 >= 0.
        old: (p, k, m).
        rate: (p,) float32; where it is 0 the result is `new` itself.
    """
    ahead = new - old
    ahead *= rate[:, None, None]
    ahead += new
    return np.maximum(ahead, 0, out=ahead)


def _sweep(w: np.ndarray, gram: np.ndarray, cross: np.ndarray, sweeps: int) -> None:
    weights, goal = _normalized(gram, cross)
    if len(w) == 1:
        one = _sweep_blocks if w.size >= _LARGE else _sweep_rows
        one(w[0], weights[0], goal[0], sweeps)
        return
    step = np.empty_like(w[:, :1])
    parts = [slice(j, j + 1) for j in range(w.shape[1])]
    rows = [(weights[:, j], goal[:, j], w[:, j]) for j in parts]
    for _ in range(sweeps):
        for weight, given, row in rows:
            np.matmul(weight, w, step)
            np.subtract(given, step, step)
            np.maximum(step, 0, out=row)


def _normalized(gram: np.ndarray, cross: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide both by the diagonal of `gram`, and take that diagonal out."""
    diagonal = gram.diagonal(axis1=1, axis2=2)[:, :, None]
    inverse = np.zeros_like(diagonal)
    np.divide(1, diagonal, out=inverse, where=diagonal >= _LEAST)
    weights = gram * inverse
    weights.reshape(len(gram), -1)[:, :: gram.shape[1] + 1] = 0
    return weights, cross * inverse


def _sweep_rows(w: np.ndarray, weights: np.ndarray, goal: np.ndarray, sweeps: int) -> None:
    rows = list(zip(weights, goal, w, strict=True))
    step, zero = np.empty_like(w[0]), np.zeros((), w.dtype)
    subtract, maximum = np.subtract, np.maximum
    for _ in range(sweeps):
        for weight, given, row in rows:
            weight.dot(w, step)
            subtract(given, step, step)
            maximum(step, zero, out=row)


def _sweep_blocks(w: np.ndarray, weights: np.ndarray, goal: np.ndarray, sweeps: int) -> None:
    """Sweep over large factors: what lies outside a block of components in one product."""
    blocks = [slice(j, j + _BLOCK) for j in range(0, len(w), _BLOCK)]
    outside = weights.copy()
    for block in blocks:
        outside[block, block] = 0
    for _ in range(sweeps):
        for block in blocks:
            given = goal[block] - outside[block] @ w
            _sweep_rows(w[block], weights[block, block], given, 1)
