"""One matrix, many ranks: each rank starts from its neighbours' solutions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.kernel import sweep
from onnxmem.factorize.seeds import grow, merge
from onnxmem.factorize.target import Target


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to iterate.

    Attributes:
        tolerance: a rank is done when the relative decrease of the error stays below this in
            two consecutive iterations.
        iterations: at most this many for each start.
        sweeps: coordinate sweeps for each half-step, at most.
    """

    tolerance: float
    iterations: int
    sweeps: int = 4


EFFORTS = {"default": Effort(1e-3, 100), "quality": Effort(3e-4, 300)}


@dataclass(frozen=True, slots=True)
class Pair:
    """A solution A ≈ wᵀ h: w (k, m), h (k, q) and the squared error of exactly this pair."""

    w: Array
    h: Array
    loss: float


_MARGIN = 14


def solve_chain(a: Array, ranks: list[int], seed: int, effort: Effort) -> list[Pair]:
    """Factorize `a` (m, q), of a scale near 1, at each of the ascending `ranks` < min(m, q).

    Upwards each rank starts from the last one plus the leading part of its residual; downwards
    from the next one with components merged; the better of the two stays. Either direction alone
    gets trapped now and then.
    """
    if not ranks:
        return []
    xp = namespace(a)
    m, q = a.shape
    target = Target.of(a, ranks[-1] + _MARGIN)
    pair = Pair(xp.zeros((0, m), xp.float32), xp.zeros((0, q), xp.float32), target.square)
    found = []
    for rank in ranks:
        pair = refine(target, *grow(target, pair.w, pair.h, rank, seed), effort)
        found.append(pair)
    for lower, upper in pairwise(reversed(range(len(found)))):
        above = found[lower]
        merged = refine(target, *merge(above.w, above.h, ranks[upper]), effort)
        found[upper] = min(found[upper], merged, key=lambda p: p.loss)
    return found


_RATE, _GROWTH, _CAP_GROWTH, _CUT = 0.5, 1.05, 1.01, 1.5


def refine(target: Target, w: Array, h: Array, effort: Effort) -> Pair:
    """Improve the pair by extrapolated accelerated HALS, and return the best one measured.

    After each half-step the factor is pushed further along its own change; when the error rises
    the push is taken back and shortened (Ang & Gillis 2019, algorithm E-A-HALS). The error is that
    of the pushed w with the new h, which the products of the h step give for free.
    """
    xp = namespace(w)
    rate, cap = _RATE, 1.0
    ahead_w, ahead_h = w, h
    best, last, calm = Pair(w, h, xp.inf), xp.inf, 0
    for _ in range(effort.iterations):
        new_w = ahead_w.copy()
        sweep(new_w, ahead_h @ ahead_h.T, target.times(ahead_h), effort.sweeps)
        ahead_w = _extrapolate(new_w, w, rate)
        gram, cross = ahead_w @ ahead_w.T, target.transposed_times(ahead_w)
        new_h = ahead_h.copy()
        sweep(new_h, gram, cross, effort.sweeps)
        fit = xp.vdot(gram, new_h @ new_h.T) - 2 * xp.vdot(cross, new_h)
        loss = max(target.square + float(fit), 0.0)
        if loss < best.loss:
            best = Pair(ahead_w, new_h, loss)
        if loss > last:
            ahead_w, ahead_h, calm = new_w, new_h, 0
            cap, rate = rate, rate / _CUT
        else:
            calm = calm + 1 if last - loss <= 2 * effort.tolerance * loss else 0
            if calm == 2:
                break
            ahead_h = _extrapolate(new_h, h, rate)
            rate, cap = min(cap, _GROWTH * rate), min(1.0, _CAP_GROWTH * cap)
        w, h, last = new_w, new_h, loss
    return best


def _extrapolate(new: Array, old: Array, rate: float) -> Array:
    xp = namespace(new)
    ahead = new - old
    ahead *= rate
    ahead += new
    return xp.maximum(ahead, 0, out=ahead)
