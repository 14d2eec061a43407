"""Where the iterations of a rank start, given the solutions of other ranks."""

from __future__ import annotations

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.live import exact_factors
from onnxmem.factorize.refine import Effort, Pairs, refine
from onnxmem.factorize.seeds import grow, merge
from onnxmem.factorize.target import Target

_AT_ONCE = 8
"""Half of what is to go goes first, as long as that is one component in so many that stay."""

_BETWEEN = 4
"""Iterations between components that are merged and more that are."""

_WITH_ONE_MORE = 3
"""Iterations with one component more before another one goes."""


def from_above(
    target: Target, w: Array, h: Array, rank: int, effort: Effort
) -> tuple[Array, Array]:
    """Merge the components of w (p, k, m), h (p, k, q) until `rank` are left.

    Where many are to go, half of them go at a time, and the rest finds its place in between.
    """
    while (middle := (w.shape[1] + rank) // 2) - rank >= max(rank / _AT_ONCE, 1):
        pairs = refine(target, *merge(w, h, middle), effort.with_iterations(_BETWEEN))
        w, h = pairs.w, pairs.h
    return merge(w, h, rank)


def exchanged(target: Target, pairs: Pairs, seed: int, effort: Effort) -> tuple[Array, Array]:
    """Add the component that `pairs` lack most, then merge the two that differ least.

    That leaves an optimum which moves of single values do not leave (split and merge: Ueda, Nakano,
    Ghahramani & Hinton 2000, for mixtures).
    """
    grown = grow(target, pairs.w, pairs.h, pairs.rank + 1, seed)
    more = refine(target, *grown, effort.with_iterations(_WITH_ONE_MORE))
    return merge(more.w, more.h, pairs.rank)


def exact(a: Array) -> tuple[Array, Array]:
    """Return w (p, k, m), h (p, k, q) with wᵀ h = a, for a (p, m, q) and k = min(m, q)."""
    w, h = zip(*(exact_factors(one, min(one.shape)) for one in a), strict=True)
    xp = namespace(a)
    return xp.stack(w), xp.stack(h)
