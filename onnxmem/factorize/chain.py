"""Several matrices, many ranks: each rank starts from its neighbours' solutions."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from threading import Lock

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.kernel import forget
from onnxmem.factorize.rank_grid import RankGrid
from onnxmem.factorize.refine import Effort, Pairs, refine
from onnxmem.factorize.seeds import grow
from onnxmem.factorize.starts import exact, exchanged, from_above
from onnxmem.factorize.target import Spectrum, Target

EFFORTS = {
    "fast": Effort(1e-3, 0.1, 30, exchanges=False),
    "default": Effort(5e-4, 0.1, 30),
    "quality": Effort(1.5e-4, 0.01, 200, 4),
}
"""The presets of `nmf_sweep`; audits take "fast"."""

MARGIN = 24
"""Components that a compressed matrix keeps beyond the last rank of its octave."""

LEAST = 8
"""The first octaves, up to this rank, share one compressed matrix."""

_LOW = 8
"""Up to this rank, one that is not next to the rank below is also started afresh."""

_ROUGH = 3.0
"""Times the tolerance at which iterations end before the best of several starts is known."""

_EXCHANGED = 8
"""Iterations after which an exchange of components must have paid."""

_POLISH = 1
"""Iterations on the whole matrix after those on a compressed one; one more for a lone rank."""


def solve_chain(whole: Target, ranks: Sequence[int], seed: int, effort: Effort) -> Generator[Pairs]:
    """Factorize matrices (p, m, q), of scales near 1, at the ascending `ranks` < min(m, q).

    Going up, each rank starts from the solution of the rank below, to which the leading part of
    the residual is added (a low rank also from that of A itself, where it has many new components);
    going down, from the solution of the rank above, with components merged. The better one is
    iterated to the end: either direction alone gets trapped now and then. A lone rank, one without
    the next rank above it, may be trapped between both; it also tries to exchange a component, if
    the effort includes that.

    Down goes by octaves (ranks up to 1, 2, 4, 8, ...), each from the first rank of the next octave,
    and the last one from the exact factors where these are near, or from a rank a little beyond
    where ranks lie close. Octaves beyond those that the caller takes are not computed.

    In each octave A is replaced by a truncated SVD, large enough for the octave's last rank, where
    that makes products cheaper (the first octaves share one); each rank then ends with iterations
    on A itself. What is found in an octave depends on the ranks up to its last, on the first rank
    of the next octave, on how large the next two SVDs are, and on no rank beyond.
    """
    links = _Links(whole, RankGrid(tuple(ranks), min(whole.shape[1:])), seed, effort)
    climb = links.climb()
    following = next(climb, None)
    last: Pairs | None = None
    for octave in links.grid.octaves:
        assert following is not None
        target, first = following
        upwards = [first, *(pairs for _, pairs in islice(climb, len(octave) - 1))]
        following = next(climb, None)
        found = list(links.descend(target, upwards, following[1] if following else None))
        while found:
            pairs = links.polished(target, found.pop())
            if last is not None:
                pairs = pairs.or_better(last.padded(pairs.rank))
            yield pairs
            last = pairs


@dataclass(frozen=True, slots=True)
class _Links:
    """What leads from the solutions of one rank to those of another."""

    whole: Target
    grid: RankGrid
    seed: int
    effort: Effort

    @property
    def _rough(self) -> Effort:
        return self.effort.looser(_ROUGH)

    def climb(self) -> Iterator[tuple[Target, Pairs]]:
        """Yield the target of each rank, and its solutions from those of the rank below."""
        xp, (p, m, q) = namespace(self.whole.left), self.whole.shape
        w, h = nothing = xp.zeros((p, 0, m), xp.float32), xp.zeros((p, 0, q), xp.float32)
        steps = [(rank, max(last, LEAST) + MARGIN) for rank, last in self.grid.steps]
        sizes = sorted({components for _, components in steps})
        spectrum, target = Spectrum(self.whole, self.seed), self.whole
        for rank, components in steps:
            if sizes and components == sizes[0]:
                target = spectrum.compressed(*sizes[:2])
                del sizes[0]
            pairs = self._grown(target, w, h, rank)
            if 1 < w.shape[1] < rank - 1 < _LOW:
                pairs = pairs.or_better(self._grown(target, *nothing, rank))
            yield target, pairs
            w, h = pairs.w, pairs.h

    def _grown(self, target: Target, w: Array, h: Array, rank: int) -> Pairs:
        return refine(target, *grow(target, w, h, rank, self.seed), self._rough)

    def _merged(self, target: Target, w: Array, h: Array, rank: int) -> Pairs:
        return refine(target, *from_above(target, w, h, rank, self._rough), self._rough)

    def _exchanged(self, target: Target, pairs: Pairs) -> Pairs:
        start = exchanged(target, pairs, self.seed, self._rough)
        return refine(target, *start, self._rough.with_iterations(_EXCHANGED))

    def descend(
        self, target: Target, upwards: list[Pairs], following: Pairs | None
    ) -> Iterator[Pairs]:
        """Yield the best solutions of an octave, from the highest rank down."""
        above = None
        if following:
            above = following.w, following.h
        elif self.grid.is_near_exact:
            above = exact(self.whole.left)
        while upwards:
            pairs = upwards.pop()
            if above is not None:
                pairs = pairs.or_better(self._merged(target, *above, pairs.rank))
            if self.effort.exchanges and self.grid.may_be_trapped(pairs.rank):
                pairs = pairs.or_better(self._exchanged(target, pairs))
            pairs = refine(target, pairs.w, pairs.h, self.effort)
            above = pairs.w, pairs.h
            yield pairs

    def polished(self, target: Target, pairs: Pairs) -> Pairs:
        """Iterate a little on the whole of A, if `target` is less."""
        if target is self.whole:
            return pairs
        iterations = _POLISH + self.grid.is_lone(pairs.rank)
        return refine(self.whole, pairs.w, pairs.h, self.effort.with_iterations(iterations))


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
