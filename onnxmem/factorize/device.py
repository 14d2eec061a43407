"""Sweeps, iterations and growth on a CUDA device: the steps of `refine.py` and `seeds.py`.

The host waits for none of them. Whether an iteration helped, how far to push and when to end is
decided on the device for every problem; the host looks now and then whether all have finished.
"""

from __future__ import annotations

import numpy as np

from onnxmem.arrays import Array, namespace, to_host
from onnxmem.factorize import launch
from onnxmem.factorize.iteration import is_small, iteration
from onnxmem.factorize.refine import Effort, Pairs, balanced
from onnxmem.factorize.target import Target

_LOOK_EVERY = 8


def sweep(w: Array, gram: Array, cross: Array, sweeps: int) -> None:
    """Do what `kernel.sweep` says."""
    xp = namespace(w)
    count, k, m = w.shape
    unused = (xp.zeros(1, dtype) for dtype in (np.float32, np.int32, np.float64))
    given = (w, w, gram, cross, *unused, xp.full(1, k, np.int32), m, sweeps, launch.IN_PLACE)
    launch.half_step(k, m, count, *given)


def grow(target: Target, w: Array, h: Array, noise: Array) -> tuple[Array, Array] | None:
    """Do what `seeds.grow` says, from noise (1, q), for one more component.

    Returns:
        None where the problem is too large for one launch to be worth it.
    """
    xp = namespace(w)
    (p, k, m), q = w.shape, h.shape[2]
    if not is_small(target, k + 1):
        return None
    r = 0 if target.right is None else target.left.shape[2]
    factors = (target.left_t, target.left_t, target.left, target.left)
    if target.right is not None:
        factors = (target.right_t, target.left_t, target.left, target.right)
    memory = xp.empty((p, m + q + r + k), np.float32)
    grown = xp.empty((p, k + 1, m), np.float32), xp.empty((p, k + 1, q), np.float32)
    launch.grow(p, *factors, w, h, noise, memory, *grown, k, m, q, r)
    return grown


def refine(target: Target, w: Array, h: Array, effort: Effort) -> Pairs:
    """Do what `refine.refine` says."""
    xp, k = namespace(w), w.shape[1]
    steps = iteration(target, k, effort.sweeps)
    w, h = balanced(w, h)
    steps.begin(xp.ascontiguousarray(w), xp.ascontiguousarray(h), effort)
    for number in range(effort.iterations):
        if number % _LOOK_EVERY == _LOOK_EVERY - 1 and to_host(steps.finished).all():
            break
        steps.run(target, k)
    return steps.best(k)
