"""The iterations on a CUDA device: the same steps as in `refine.py`, with no wait in between.

Whether an iteration helped, how far to push and when to end is decided on the device for every
problem; the host looks now and then whether all have finished.
"""

from __future__ import annotations

import numpy as np

from onnxmem.arrays import Array, namespace, to_host
from onnxmem.factorize import launch
from onnxmem.factorize.iteration import iteration
from onnxmem.factorize.refine import Effort, Pairs
from onnxmem.factorize.target import Target

_LOOK_EVERY = 8


def sweep(w: Array, gram: Array, cross: Array, sweeps: int) -> None:
    """Do what `kernel.sweep` says."""
    xp = namespace(w)
    count, k, m = w.shape
    unused = (xp.zeros(1, dtype) for dtype in (np.float32, np.int32, np.float64))
    given = (w, w, gram, cross, *unused, xp.full(1, k, np.int32), m, sweeps, launch.IN_PLACE)
    launch.half_step(k, m, count, *given)


def refine(target: Target, w: Array, h: Array, effort: Effort) -> Pairs:
    """Do what `refine.refine` says."""
    xp, k = namespace(w), w.shape[1]
    steps = iteration(target, k, effort.sweeps)
    steps.begin(xp.ascontiguousarray(w), xp.ascontiguousarray(h), effort)
    for number in range(effort.iterations):
        if number % _LOOK_EVERY == _LOOK_EVERY - 1 and to_host(steps.finished).all():
            break
        steps.run(target, k)
    return steps.best(k)
