"""One matrix, many ranks: each rank starts from its neighbours' solutions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.kernel import sweep
from onnxmem.factorize.seeds import grow, merge
from onnxmem.factorize.target import Target


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to iterate.

    Attributes:
        tolerance: iterating ends when the error falls by less than this share of itself in two
            consecutive iterations.
        floor: below this relative error the share is of `floor` instead.
        iterations: at most this many for each start.
        sweeps: coordinate sweeps for each half-step, at most.
    """

    tolerance: float
    floor: float
    iterations: int
    sweeps: int = 2


EFFORTS = {"default": Effort(1e-3, 0.07, 30), "quality": Effort(3e-4, 0.01, 200, 4)}

_MARGIN = 14
_ROUGH = 3.0
_POLISH = 1


@dataclass(frozen=True, slots=True)
class Pair:
    """A solution A ≈ wᵀ h: w (k, m), h (k, q) and the squared error of exactly this pair."""

    w: Array
    h: Array
    loss: float


def solve_chain(a: Array, ranks: list[int], seed: int, effort: Effort) -> list[Pair]:
    """Factorize `a` (m, q), of a scale near 1, at each of the ascending `ranks` < min(m, q).

    Upwards each rank starts from the last one plus the leading part of its residual; downwards
    from the next one with components merged; the better of the two is iterated to the end.
    Either direction alone gets trapped now and then. Where A is iterated on in compressed form,
    the last iteration of each rank is on A itself.
    """
    if not ranks:
        return []
    target = Target.of(a, ranks[-1] + _MARGIN)
    rough = replace(effort, tolerance=_ROUGH * effort.tolerance)
    upwards = _climb(target, ranks, seed, rough)
    found: list[Pair] = []
    for pair in reversed(upwards):
        if found:
            merged = merge(found[-1].w, found[-1].h, len(pair.w))
            pair = min(pair, refine(target, *merged, rough), key=lambda p: p.loss)
        found.append(refine(target, pair.w, pair.h, effort))
    if target.right is not None:
        found = [polish(a, pair.w, pair.h, effort, _POLISH) for pair in found]
    return found[::-1]


def _climb(target: Target, ranks: list[int], seed: int, effort: Effort) -> list[Pair]:
    xp = namespace(target.left)
    m, q = target.shape
    pairs = [Pair(xp.zeros((0, m), xp.float32), xp.zeros((0, q), xp.float32), target.square)]
    for rank in ranks:
        start = grow(target, pairs[-1].w, pairs[-1].h, rank, seed)
        pairs.append(refine(target, *start, effort))
    return pairs[1:]


def polish(a: Array, w: Array, h: Array, effort: Effort, iterations: int) -> Pair:
    """Iterate a few times on `a` itself, from a pair that was found on less of it."""
    return refine(Target.whole(a), w, h, replace(effort, iterations=iterations))


_RATE, _GROWTH, _CAP_GROWTH, _CUT = 0.5, 1.05, 1.01, 1.5


def refine(target: Target, w: Array, h: Array, effort: Effort) -> Pair:
    """Improve the pair by extrapolated accelerated HALS, and return the best one measured.

    After each half-step the factor is pushed further along its own change; when the error rises
    the push is taken back and shortened (E-A-HALS of Ang & Gillis 2019, with its parameters). The
    error is that of the pushed w with the new h, which the products of the h step give for free.
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
            scale = max(loss, effort.floor**2 * target.square)
            calm = calm + 1 if last - loss <= 2 * effort.tolerance * scale else 0
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
