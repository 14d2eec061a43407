"""Rank sweeps: non-negative factorizations of one matrix at many ranks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from onnxmem.arrays import Array, namespace
from onnxmem.errors import FactorizationError
from onnxmem.factorize.chain import EFFORTS, solve_chain
from onnxmem.factorize.interface import LARGEST, check_matrix, check_ranks
from onnxmem.factorize.kernel import squared_distance, violation
from onnxmem.factorize.live import Live, exact_factors
from onnxmem.factorize.records import Factors
from onnxmem.factorize.refine import Effort, Pairs, refine
from onnxmem.factorize.sampling import recover, sample_rows
from onnxmem.factorize.stack import stack
from onnxmem.factorize.target import Target

Preset = Literal["fast", "default", "quality"]
_POLISH = 6
"""Iterations on all rows after those on a sample of them."""

_SMALLEST = 2.0**-240
"""The least that the largest value of a matrix may be (only float64 goes below), or float32 would
not hold its factors, of which each takes half of the scale."""

_TINY = 1 << 11
"""Values of a matrix up to which iterating further costs next to nothing. It pays there: such
matrices are nearly exact at most ranks, below the error at which other sweeps end."""
_TINY_FLOOR = 0.01
_TINY_ITERATIONS = 100


def nmf_sweep(
    a: Array, ranks: Iterable[int], seed: int = 0, *, preset: Preset = "default"
) -> Iterator[Factors]:
    """Factorize A ≈ W H, all three non-negative, at every rank of a sweep.

    The ranks share what does not depend on the rank and start from one another, which makes a
    sweep many times cheaper than its ranks one by one.

    Args:
        a: (m, q) >= 0, NumPy or CuPy, any real type; computed in float32. Not modified. CuPy takes
            subnormal values for zeros (it compiles its kernels with -ftz=true).
        ranks: the ranks, each >= 1. From min(live rows, live columns) on (a row or column is
            live unless it is all zero) the exact factorization, padded with zero components.
        seed: fixes everything that is random.
        preset: "fast" ends at twice the change of "default" and exchanges no components to leave
            poor optima, "quality" ends at a third of it. Errors below 0.1 count as good ("quality",
            and all on tiny matrices: 0.01), and iterating them ends earlier: such errors can be a
            third above what is possible, and below 0.02 several times as large.

    Returns:
        One `Factors` for each distinct rank, ascending.

    Raises:
        FactorizationError: `a` is not a matrix, is empty, holds a negative or a non-finite value,
            or hardly anything (above 0, below 1e-72); a rank is below 1; the preset is unknown.
    """
    check_matrix(a, signed=False, largest=LARGEST)
    if 0 < (highest := float(a.max())) < _SMALLEST:
        raise FactorizationError(
            f"the largest value is {highest:.1e}, below {_SMALLEST:.1e}; scale the matrix"
        )
    wanted = check_ranks(tuple(ranks))
    if preset not in EFFORTS:
        raise FactorizationError(f"no preset {preset!r}; choose from {', '.join(EFFORTS)}")
    return _sweep(Live.of(a), wanted, seed, preset)


def _sweep(live: Live, ranks: tuple[int, ...], seed: int, preset: Preset) -> Iterator[Factors]:
    hard = [rank for rank in ranks if rank < live.limit]
    whole, last = Target.whole(stack([live.a])), None
    effort = EFFORTS[preset]
    if live.a.size <= _TINY:
        effort = replace(effort, floor=_TINY_FLOOR, iterations=_TINY_ITERATIONS)
    for pairs in _solve(whole, live.a, hard, seed, effort):
        found = _measured(live, whole, pairs)
        last = found if last is None or found.error <= last.error else _padded(last, found.rank)
        yield last
    for rank in ranks[len(hard) :]:
        yield Factors(rank, *live.embed_factors(*exact_factors(live.a, rank)), error=0.0, kkt=0.0)


def _padded(factors: Factors, rank: int) -> Factors:
    """Return the same factorization with components of zeros up to `rank`."""
    xp, more = namespace(factors.w), rank - factors.rank
    w = xp.concatenate([factors.w, xp.zeros((len(factors.w), more), xp.float32)], axis=1)
    h = xp.concatenate([factors.h, xp.zeros((more, factors.h.shape[1]), xp.float32)])
    return replace(factors, rank=rank, w=w, h=h)


def _solve(whole: Target, a: Array, ranks: list[int], seed: int, effort: Effort) -> Iterator[Pairs]:
    sample = sample_rows(a, seed)
    if sample is None:
        yield from solve_chain(whole, ranks, seed, effort)
        return
    for pairs in solve_chain(Target.whole(stack([sample])), ranks, seed, effort):
        w = recover(pairs.h[0], whole.times(pairs.h)[0])
        yield refine(whole, w[None], pairs.h, effort.with_iterations(_POLISH))


def _measured(live: Live, whole: Target, pairs: Pairs) -> Factors:
    (m, q), w, h = live.a.shape, pairs.w[0], pairs.h[0]
    error = (squared_distance(whole.left[0], w, h) / float(whole.square[0])) ** 0.5
    products = whole.times(pairs.h)[0], whole.transposed_times(pairs.w)[0]
    kkt = max(violation(w, h @ h.T, products[0]), violation(h, w @ w.T, products[1]))
    return Factors(len(w), *live.embed_factors(w[:, :m], h[:, :q]), error, kkt)
