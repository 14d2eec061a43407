"""Whether each sample is right at each level, found without running all of them at all levels.

A sample that fares alike at two levels is taken to do so between them, and is not run there. Where
levels are ranks that is so but for few (`surprises` says how many), and it is told what they may
move. Where approximations are drawn at random it is not, so that some samples, drawn for each
level, are run all the same and stand for the others: what they make of it is unbiased (two-phase
sampling, Särndal, Swensson & Wretman 1992, chapter 9).

Nothing here knows what is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

AUDITED = 0.25
"""The share of the samples that are run at a level although they need not be."""

_UNKNOWN = -1


class Fates:
    """Who is right at each level, as far as it is known; all arrays are (levels, draws, samples).

    Attributes:
        known: 1 right, 0 wrong, -1 not run.
        assumed: what a sample was taken to be where it fared alike around a level; -1 elsewhere.
    """

    def __init__(self, levels: int, draws: int, samples: int, audit: int | None = None) -> None:
        """Know nothing yet; `audit` is the seed of who is run all the same, None for nobody."""
        shape = (levels, draws, samples)
        self.known = np.full(shape, _UNKNOWN, np.int8)
        self.assumed = np.full(shape, _UNKNOWN, np.int8)
        self._audited = np.zeros(shape, bool)
        if audit is not None:
            rng = np.random.default_rng([audit, 0xA0D1])
            self._audited = rng.random(shape, np.float32) < AUDITED

    def wanted(self, place: int, rows: np.ndarray, everyone: bool = False) -> np.ndarray:
        """Return which of the samples `rows` are to be run at a level, (draws, rows) bool.

        Those that fare alike at the nearest levels that are known are not, unless they are audited.
        Without a level below and above `everyone` is to be said.
        """
        known = self.known[:, :, rows]
        missing = known[place] == _UNKNOWN
        if everyone:
            self.assumed[place][:, rows] = _UNKNOWN
            return np.asarray(missing)
        below, above = _nearest(known[:place][::-1]), _nearest(known[place + 1 :])
        alike = below == above
        assumed = np.where(alike, below, _UNKNOWN)
        self.assumed[place][:, rows] = np.where(missing, assumed, self.assumed[place][:, rows])
        return np.asarray(missing & (~alike | self._audited[place][:, rows]))

    def take(self, place: int, draw: int | slice, rows: np.ndarray, hits: np.ndarray) -> None:
        """Take in how samples fared at a level."""
        self.known[place][draw][..., rows] = hits

    def complete(self) -> np.ndarray:
        """Return how right each sample is, or is expected to be, between 0 and 1, float32."""
        found = self.known.astype(np.float32)
        for cell, skipped, expected, _ in self._strata():
            found[cell][skipped] = expected
        return found

    def variance(self, weights: np.ndarray) -> float:
        """Return that of the area of the mean over draws and samples, from who was audited.

        `weights` (levels,) are those of the trapezoids.
        """
        count = self.known[0].size
        parts = (
            (float(weights[cell[0]]) * float(skipped.sum()) / count) ** 2 * spread
            for cell, skipped, _, spread in self._strata()
        )
        return float(sum(parts))

    def _strata(self) -> Iterator[tuple[tuple[int, int], np.ndarray, float, float]]:
        """Yield groups of samples that were not run, and what audited ones of their kind tell.

        That is their level and draw, which they are, the mean, and the variance of that of the
        group.
        """
        for place, draw in np.ndindex(self.known.shape[:2]):
            known, assumed = self.known[place, draw], self.assumed[place, draw]
            for fate in (0, 1):
                alike = assumed == fate
                skipped = alike & (known == _UNKNOWN)
                if not skipped.any():
                    continue
                audited = known[alike & ~skipped]
                mean, spread = float(fate), 0.0
                if len(audited):
                    mean = float(audited.mean())
                if len(audited) > 1:
                    several = 1 / len(audited) + 1 / int(skipped.sum())
                    spread = float(audited.var(ddof=1)) * several
                yield (place, draw), skipped, mean, spread


def halvings(count: int, full: Iterable[int]) -> Iterator[list[int]]:
    """Yield the places 0 ... count - 1 that are not `full`: the middles between, and so on."""
    known = sorted(full)
    while middles := [(a + b) // 2 for a, b in pairwise(known) if b - a > 1]:
        yield middles
        known = sorted([*known, *middles])


def surprises(known: np.ndarray, full: Sequence[int], weights: np.ndarray) -> np.ndarray:
    """Return what samples that were not run may move the area by, between levels that all ran.

    Among those that fare alike at the neighbours of a level at which all were run, some do not at
    that level. That share, the larger one of the two ends, is taken for the levels between.

    Args:
        known: (levels, samples), see `Fates`.
        full: the levels at which all samples were run, ascending.
        weights: (levels,) of the trapezoids.

    Returns:
        (full - 1,) one number for each gap.
    """
    fates = known[list(full)]
    rates = np.zeros(len(full))
    for place in range(1, len(full) - 1):
        alike = fates[place - 1] == fates[place + 1]
        rates[place] = (alike & (fates[place] != fates[place - 1])).sum() / max(1, alike.sum())
    skipped = weights * (known == _UNKNOWN).mean(axis=1)
    between = np.array([skipped[a + 1 : b].sum() for a, b in pairwise(full)])
    return np.asarray(np.maximum(rates[:-1], rates[1:]) * between)


def _nearest(known: np.ndarray) -> np.ndarray:
    """Return the first entry along axis 0 that is known."""
    first = (known != _UNKNOWN).argmax(axis=0)
    return np.asarray(np.take_along_axis(known, first[None], axis=0)[0])
