"""The iterations on a CUDA device: the same steps as in `refine.py`, with no wait in between.

Whether an iteration helped, how far to push and when to end is decided on the device for every
problem; the host looks now and then whether all have finished.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from types import ModuleType
from typing import Any

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.refine import RATE, Effort, Pairs
from onnxmem.factorize.target import Target

_THREADS = 128
_BUILDS = (8, 16, 24, 32, 48, 64)
_LOOK_EVERY = 8
_IN_PLACE, _PUSH, _MEASURE = np.int32(0), np.int32(1), np.int32(2)


def sweep(w: Array, gram: Array, cross: Array, sweeps: int) -> None:
    """Do what `kernel.sweep` says."""
    unused = [namespace(w).zeros(1, dtype) for dtype in (np.float32, np.int32, np.float64)]
    _half_step(w, w, gram, cross, *unused, sweeps, _IN_PLACE)


def refine(target: Target, w: Array, h: Array, effort: Effort) -> Pairs:
    """Do what `refine.refine` says."""
    xp = namespace(w)
    count = len(w)
    blocks = -(-h.shape[2] // _THREADS)
    ahead_w, ahead_h, last_w, last_h = w.copy(), h.copy(), w.copy(), h.copy()
    best_w, best_h, fresh_h = w.copy(), h.copy(), xp.empty_like(ahead_h)
    state = xp.tile(xp.asarray([1, np.inf, np.inf, 0], np.float32), (count, 1))
    rate, push = xp.full(count, RATE, np.float32), xp.zeros(count, np.float32)
    improved, finished = xp.zeros(count, np.int32), xp.zeros(count, np.int32)
    partial = xp.zeros((count, blocks), np.float64)
    flags = (rate, finished, partial, effort.sweeps)
    limits = (np.float32(2 * effort.tolerance), np.float32(effort.floor**2))
    for number in range(effort.iterations):
        if number % _LOOK_EVERY == _LOOK_EVERY - 1 and bool(finished.all()):
            break
        products = _gram(ahead_h), target.times(ahead_h)
        _half_step(ahead_w, last_w, *products, *flags, _PUSH)
        products = _gram(ahead_w), target.transposed_times(ahead_w)
        _half_step(ahead_h, fresh_h, *products, *flags, _MEASURE)
        judged = (partial, target.square, state, rate, push, improved, finished)
        _launch(xp, "judge", 0, (-(-count // _THREADS),), *judged, count, blocks, *limits)
        _carry(ahead_w, last_w, last_w, best_w, push, improved)
        _carry(ahead_h, fresh_h, last_h, best_h, push, improved)
    return Pairs(best_w, best_h, state[:, 2])


def _gram(factor: Array) -> Array:
    return factor @ factor.swapaxes(1, 2)


def _half_step(ahead: Array, last: Array, gram: Array, cross: Array, *rest: Any) -> None:
    rate, finished, partial, sweeps, mode = rest
    count, k, m = ahead.shape
    build = next((most for most in _BUILDS if k <= most), 0)
    arrays = (ahead, last, gram, cross, rate, finished, partial)
    grid = (-(-m // _THREADS), count)
    _launch(namespace(ahead), "half_step", build, grid, *arrays, k, m, sweeps, mode)


def _carry(ahead: Array, fresh: Array, last: Array, best: Array, *flags: Array) -> None:
    size = ahead[0].size
    grid = (-(-size // _THREADS), len(ahead))
    _launch(namespace(ahead), "carry", 0, grid, ahead, fresh, last, best, *flags, size)


def _launch(xp: ModuleType, name: str, build: int, grid: tuple[int, ...], *given: Any) -> None:
    arguments = tuple(np.int32(one) if isinstance(one, int) else one for one in given)
    _kernel(xp, name, build)(grid, (_THREADS,), arguments)


@cache
def _kernel(xp: ModuleType, name: str, build: int) -> Any:
    options = (f"-DK={build}", f"-DTHREADS={_THREADS}")
    return xp.RawKernel(source(), name, options=options)


@cache
def source() -> str:
    """Return the CUDA source of the kernels."""
    return resources.files("onnxmem.factorize").joinpath("kernels.cu").read_text()
