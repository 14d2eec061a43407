"""The innermost loop of every factorization here: cyclic coordinate sweeps.

One function, so that a compiled or a CUDA kernel can take its place.
"""

from __future__ import annotations

from onnxmem.arrays import Array, namespace

_SETTLED = 0.1


def sweep(w: Array, gram: Array, cross: Array, sweeps: int) -> None:
    """Lower ½⟨gram, w wᵀ⟩ − ⟨cross, w⟩ over w >= 0 by coordinate sweeps, in place.

    With gram = H Hᵀ and cross = H Aᵀ that is ½‖A − wᵀ H‖² up to a constant. Each row of `w` is
    set in turn to its minimizer, the rest fixed (hierarchical alternating least squares:
    Cichocki & Phan 2009); repeating sweeps while gram and cross stay as they are, and stopping
    once a sweep moves little against the first one, is the acceleration of Gillis & Glineur 2012.

    Args:
        w: (k, m) float32 >= 0, overwritten. Stored by component, so that rows are contiguous.
        gram: (k, k), symmetric positive semi-definite. A zero on its diagonal zeroes that row.
        cross: (k, m).
        sweeps: at most this many; fewer when a sweep moves `w` by less than a tenth of the first.
    """
    xp = namespace(w)
    diagonal = gram.diagonal()
    alive = diagonal > 0
    inverse = xp.where(alive, 1 / xp.where(alive, diagonal, 1), 0)[:, None]
    target = cross * inverse
    weights = gram * inverse
    xp.fill_diagonal(weights, 0)
    rows = list(zip(weights, target, w, strict=True))
    step = xp.empty_like(w[0])
    zero = xp.zeros((), w.dtype)
    subtract, maximum = xp.subtract, xp.maximum
    first = 0.0
    for count in range(sweeps):
        before = w.copy() if sweeps > 1 else w
        for weight, goal, row in rows:
            weight.dot(w, step)
            subtract(goal, step, step)
            maximum(step, zero, out=row)
        if count + 1 == sweeps:
            return
        before -= w
        moved = float(xp.vdot(before, before))
        first = first or moved
        if moved <= _SETTLED**2 * first and count:
            return
