"""Several matrices, many ranks: each rank starts from its neighbours' solutions."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import groupby, islice
from threading import Lock

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.kernel import forget
from onnxmem.factorize.live import exact_factors
from onnxmem.factorize.refine import Effort, Pairs, refine
from onnxmem.factorize.seeds import grow, merge
from onnxmem.factorize.target import Target

EFFORTS = {
    "fast": Effort(1e-3, 0.1, 30),
    "default": Effort(5e-4, 0.1, 30),
    "quality": Effort(1.5e-4, 0.01, 200, 4),
}
"""The presets of `nmf_sweep`; audits take "fast"."""

_MARGIN = 24
"""Components that a compressed matrix keeps beyond the last rank of its octave."""

_LEAST = 8
"""The first octaves, up to this rank, share one compressed matrix."""

_LOW = 8
"""Up to this rank, one that is not next to the rank below is also started afresh."""

_BEYOND = 16
"""Where ranks lie close, the way down starts from a rank that is higher by one in so many."""

_ROUGH = 3.0
"""Times the tolerance at which iterations end before the better of two starts is known."""

_POLISH = 1
"""Iterations on the whole matrix after those on a compressed one."""

_NEAR = 2
"""Exact factors start the way down where they have at most so many times the highest rank."""


def solve_chain(whole: Target, ranks: Sequence[int], seed: int, effort: Effort) -> Generator[Pairs]:
    """Factorize matrices (p, m, q), of scales near 1, at the ascending `ranks` < min(m, q).

    Going up, each rank starts from the solution of the rank below, to which the leading part of
    the residual is added (a low rank also from that of A itself, where it has many new components);
    going down, from the solution of the rank above, with components merged. The better one is
    iterated to the end: either direction alone gets trapped now and then. Down goes by octaves
    (ranks up to 1, 2, 4, 8, ...), each from the first rank of the next octave, and the last one
    from the exact factors where these are near, or from a rank a little beyond where ranks lie
    close. Octaves beyond those that the caller takes are not computed.

    In each octave A is replaced by a truncated SVD, large enough for the octave's last rank, where
    that makes products cheaper (the first octaves share one); each rank then ends with an iteration
    on A itself. What is found in an octave depends on its own ranks, on the first rank of the next
    octave, on that octave's last rank through its SVD, and on no rank beyond.
    """
    octaves = [tuple(octave) for _, octave in groupby(ranks, lambda rank: (rank - 1).bit_length())]
    rough = replace(effort, tolerance=_ROUGH * effort.tolerance)
    steps = [(rank, octave[-1]) for octave in octaves for rank in octave]
    climb = _climb(whole, steps + _beyond(ranks, min(whole.shape[1:])), seed, rough)
    following = next(climb, None)
    last: Pairs | None = None
    for octave in octaves:
        assert following is not None
        target, first = following
        upwards = [first, *(pairs for _, pairs in islice(climb, len(octave) - 1))]
        following = next(climb, None)
        above = (following[1].w, following[1].h) if following else _exact(whole.left, octave[-1])
        found = []
        while upwards:
            pairs = upwards.pop()
            if above is not None:
                merged = merge(*above, pairs.rank)
                pairs = pairs.or_better(refine(target, *merged, rough))
            pairs = refine(target, pairs.w, pairs.h, effort)
            above = pairs.w, pairs.h
            found.append(pairs)
        while found:
            pairs = found.pop()
            if target is not whole:
                pairs = polish(whole, pairs.w, pairs.h, effort, _POLISH)
            if last is not None:
                pairs = pairs.or_better(last.padded(pairs.rank))
            yield pairs
            last = pairs


def _beyond(ranks: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Return a rank beyond the last one as a step, unless ranks lie wide or exact factors near."""
    last = max(ranks, default=0)
    more = 1 + last // _BEYOND
    if limit <= _NEAR * last or not any(last - more <= rank < last for rank in ranks):
        return []
    return [(last + more, last)]


def _climb(
    whole: Target, steps: Sequence[tuple[int, int]], seed: int, effort: Effort
) -> Iterator[tuple[Target, Pairs]]:
    """Yield the target of each rank, and its solutions grown from those of the rank below.

    A step is a rank, and the last one of its octave.
    """
    xp = namespace(whole.left)
    p, m, q = whole.shape
    w, h = nothing = xp.zeros((p, 0, m), xp.float32), xp.zeros((p, 0, q), xp.float32)
    target, kept = whole, 0
    for rank, last in steps:
        components = max(last, _LEAST) + _MARGIN
        if components > kept:
            target, kept = whole.compressed(components, seed), components
        pairs = refine(target, *grow(target, w, h, rank, seed), effort)
        if 1 < w.shape[1] < rank - 1 < _LOW:
            pairs = pairs.or_better(refine(target, *grow(target, *nothing, rank, seed), effort))
        yield target, pairs
        w, h = pairs.w, pairs.h


def _exact(a: Array, rank: int) -> tuple[Array, Array] | None:
    """Return the exact factors of `a`, where they have not many more components than `rank`."""
    limit = min(a.shape[1:])
    if limit > _NEAR * rank:
        return None
    w, h = zip(*(exact_factors(one, limit) for one in a), strict=True)
    xp = namespace(a)
    return xp.stack(w), xp.stack(h)


def polish(whole: Target, w: Array, h: Array, effort: Effort, iterations: int) -> Pairs:
    """Iterate a few times on the whole of A, from pairs that were found on less of it."""
    return refine(whole, w, h, replace(effort, iterations=iterations))


class Chain:
    """What `solve_chain` finds, as far up as it was asked for; threads may share it."""

    def __init__(self, a: Array, ranks: Sequence[int], seed: int, effort: Effort) -> None:
        """Take the problem; nothing is computed before it is asked for."""
        whole = Target.whole(a)
        self._solutions = solve_chain(whole, ranks, seed, effort)
        self._multiplied: tuple[Array, ...] = whole.left, whole.left_t
        self._last = max(ranks, default=0)
        self._found: dict[int, Pairs] = {}
        self._failure: Exception | None = None
        self._lock = Lock()

    def at(self, rank: int) -> Pairs:
        """Return the solutions at one of the ranks.

        Raises:
            KeyError: it is none of them.
            MemoryError: there is none for it, or was none for another thread on the way there.
        """
        with self._lock:
            if rank not in self._found:
                self._climb_to(rank)
            return self._found[rank]

    def _climb_to(self, rank: int) -> None:
        """Find the solutions up to a rank; copies of a failure hold no frames, and so no arrays."""
        if self._failure:
            raise copy(self._failure)
        try:
            for pairs in self._solutions:
                self._found[pairs.rank] = pairs
                if pairs.rank == rank:
                    break
        except Exception as error:
            self._failure = copy(error)
            raise
        finally:
            forget(*self._multiplied)
        if rank == self._last:
            self._solutions.close()
            self._multiplied = ()
