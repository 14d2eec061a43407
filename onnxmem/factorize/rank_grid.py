"""The ranks of a sweep: how each lies among the others, and beside the exact rank."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

_BEYOND = 16
"""Where ranks lie close, the way down starts from a rank that is higher by one in so many."""

_NEAR = 2
"""Exact factors are near where they have at most so many times the highest rank."""

_FEW_TRAPS = 3
"""Ranks below the exact one divided by this hardly ever end in a poor optimum."""


@dataclass(frozen=True, slots=True)
class RankGrid:
    """The ranks of a sweep.

    Attributes:
        ranks: ascending, each at least 1.
        limit: min(m, q) of the stack, from which on factors are exact; it is beyond them.
    """

    ranks: tuple[int, ...]
    limit: int

    @property
    def octaves(self) -> list[tuple[int, ...]]:
        """The ranks up to 1, 2, 4, 8, ..."""
        grouped = groupby(self.ranks, lambda rank: (rank - 1).bit_length())
        return [tuple(octave) for _, octave in grouped]

    @property
    def steps(self) -> list[tuple[int, int]]:
        """Each rank that is climbed, one beyond the last included, and the last of its octave."""
        steps = [(rank, octave[-1]) for octave in self.octaves for rank in octave]
        return steps + [(rank, self.ranks[-1]) for rank in self._beyond]

    @property
    def _beyond(self) -> tuple[int, ...]:
        """A rank beyond the last one, unless ranks lie wide or exact factors near."""
        last = max(self.ranks, default=0)
        more = 1 + last // _BEYOND
        close = any(last - more <= rank < last for rank in self.ranks)
        return (last + more,) if close and not self.is_near_exact else ()

    @property
    def is_near_exact(self) -> bool:
        """Whether the exact factors are a start for the way down."""
        return self.limit <= _NEAR * max(self.ranks, default=0)

    def is_lone(self, rank: int) -> bool:
        """Tell whether the next rank, which would lead to this one, is not swept."""
        return rank + 1 not in self.ranks

    def may_be_trapped(self, rank: int) -> bool:
        """Tell whether a lone rank is one of those that have many poor optima."""
        return self.is_lone(rank) and self.limit / _FEW_TRAPS <= rank < self.limit - 1
