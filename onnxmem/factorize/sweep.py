"""Rank sweeps: non-negative factorizations of one matrix at many ranks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from onnxmem.arrays import Array, namespace
from onnxmem.errors import FactorizationError
from onnxmem.factorize.chain import EFFORTS, Effort, Pair, polish, solve_chain
from onnxmem.factorize.interface import check_matrix, check_ranks
from onnxmem.factorize.live import Live, exact_factors
from onnxmem.factorize.records import Factors
from onnxmem.factorize.sampling import recover, sample_rows

Preset = Literal["default", "quality"]
_POLISH = 6


def nmf_sweep(
    a: Array, ranks: Iterable[int], seed: int = 0, *, preset: Preset = "default"
) -> Iterator[Factors]:
    """Factorize A ≈ W H, all three non-negative, at every rank of a sweep.

    The ranks share what does not depend on the rank and start from one another, which makes a
    sweep many times cheaper than its ranks one by one.

    Args:
        a: (m, q) >= 0, NumPy or CuPy, any real type; computed in float32. Not modified.
        ranks: the ranks, each >= 1. From min(live rows, live columns) on (a row or column is
            live unless it is all zero) the exact factorization, padded with zero components.
        seed: fixes everything that is random.
        preset: "quality" iterates to a three times smaller change.

    Returns:
        One `Factors` for each distinct rank, ascending.

    Raises:
        FactorizationError: `a` is not a matrix, is empty, or holds a negative or a non-finite
            value; a rank is below 1; the preset is unknown.
    """
    check_matrix(a, signed=False)
    wanted = check_ranks(tuple(ranks))
    if preset not in EFFORTS:
        raise FactorizationError(f"no preset {preset!r}; choose from {', '.join(EFFORTS)}")
    return _sweep(Live.of(a), wanted, seed, preset)


def _sweep(live: Live, ranks: tuple[int, ...], seed: int, preset: Preset) -> Iterator[Factors]:
    hard = [rank for rank in ranks if rank < live.limit]
    for pair in _solve(live.a, hard, seed, EFFORTS[preset]):
        yield _measured(live, pair.w, pair.h)
    for rank in ranks[len(hard) :]:
        yield Factors(rank, *live.embed_factors(*exact_factors(live.a, rank)), error=0.0, kkt=0.0)


def _solve(a: Array, ranks: list[int], seed: int, effort: Effort) -> Iterator[Pair]:
    sample = sample_rows(a, seed)
    if sample is None:
        yield from solve_chain(a, ranks, seed, effort)
        return
    for pair in solve_chain(sample, ranks, seed, effort):
        yield polish(a, recover(pair.h, a), pair.h, effort, _POLISH)


def _measured(live: Live, w: Array, h: Array) -> Factors:
    norm = namespace(w).linalg.norm
    residual = w.T @ h
    residual -= live.a
    error = float(norm(residual)) / float(norm(live.a))
    kkt = max(_violation(w, h @ residual.T, h @ live.a.T), _violation(h, w @ residual, w @ live.a))
    return Factors(len(w), *live.embed_factors(w, h), error, kkt)


def _violation(factor: Array, gradient: Array, data: Array) -> float:
    """Return the norm of the projected gradient over that of its data term."""
    xp = namespace(factor)
    projected = xp.where(factor > 0, gradient, xp.minimum(gradient, 0))
    size = float(xp.linalg.norm(data))
    return float(xp.linalg.norm(projected)) / size if size else 0.0
