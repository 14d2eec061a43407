"""Several matrices, many ranks: each rank starts from its neighbours' solutions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.refine import Effort, Pairs, refine
from onnxmem.factorize.seeds import grow, merge
from onnxmem.factorize.target import Target

EFFORTS = {
    "fast": Effort(1e-3, 0.07, 30),
    "default": Effort(5e-4, 0.07, 30),
    "quality": Effort(1.5e-4, 0.01, 200, 4),
}

_MARGIN = 14
_ROUGH = 4.0
_POLISH = 1


def solve_chain(a: Array, ranks: list[int], seed: int, effort: Effort) -> list[Pairs]:
    """Factorize each of `a` (p, m, q), of scales near 1, at the ascending `ranks` < min(m, q).

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
    found: list[Pairs] = []
    for pairs in reversed(upwards):
        if found:
            merged = merge(found[-1].w, found[-1].h, pairs.rank)
            pairs = pairs.or_better(refine(target, *merged, rough))
        found.append(refine(target, pairs.w, pairs.h, effort))
    if target.right is not None:
        whole = Target.whole(a)
        found = [polish(whole, pairs.w, pairs.h, effort, _POLISH) for pairs in found]
    return _without_rises(found[::-1])


def _climb(target: Target, ranks: list[int], seed: int, effort: Effort) -> list[Pairs]:
    xp = namespace(target.left)
    p, m, q = target.shape
    w, h = xp.zeros((p, 0, m), xp.float32), xp.zeros((p, 0, q), xp.float32)
    upwards = []
    for rank in ranks:
        upwards.append(refine(target, *grow(target, w, h, rank, seed), effort))
        w, h = upwards[-1].w, upwards[-1].h
    return upwards


def polish(whole: Target, w: Array, h: Array, effort: Effort, iterations: int) -> Pairs:
    """Iterate a few times on the whole of A, from pairs that were found on less of it."""
    return refine(whole, w, h, replace(effort, iterations=iterations))


def _without_rises(pairs: list[Pairs]) -> list[Pairs]:
    """Put the solution of a lower rank, padded with zeros, where a higher rank's is worse."""
    kept = pairs[:1]
    for _, higher in pairwise(pairs):
        kept.append(higher.or_better(kept[-1].padded(higher.rank)))
    return kept
