"""Whether each sample is right at each level, found without running all of them at all levels.

A sample that fares alike at two levels mostly does so between them, and is not run there. Some do
not, so that a share of such samples, drawn for each level, is run all the same and stands for the
others: that makes the mean unbiased, and tells how far it may be off (two-phase sampling, Särndal,
Swensson & Wretman 1992, chapter 9).

Nothing here knows what is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

_UNKNOWN = -1


class Fates:
    """Who is right at each level, as far as it is known; all arrays are (levels, draws, samples).

    Attributes:
        known: 1 right, 0 wrong, -1 not run.
        assumed: what a sample was taken to be where it fared alike around a level; -1 elsewhere.
    """

    def __init__(self, levels: int, draws: int, samples: int, audited: float, seed: int) -> None:
        """Know nothing yet.

        Args:
            levels: how many.
            draws: approximations at each of them.
            samples: how many.
            audited: the share of the samples that are run although they need not be.
            seed: of who these are.
        """
        shape = (levels, draws, samples)
        self.known = np.full(shape, _UNKNOWN, np.int8)
        self.assumed = np.full(shape, _UNKNOWN, np.int8)
        rng = np.random.default_rng([seed, 0xA0D1])
        self._audited = rng.random(shape, np.float32) < audited

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

    def variances(self, weights: np.ndarray) -> np.ndarray:
        """Return what each level adds (levels,) to the variance of the area, from who was audited.

        The area is that of the mean over draws and samples; `weights` (levels,) are those of its
        trapezoids.
        """
        found = np.zeros(len(self.known))
        for (place, _), skipped, _, spread in self._strata():
            found[place] += (weights[place] * skipped.mean() / self.known.shape[1]) ** 2 * spread
        return found

    def _strata(self) -> Iterator[tuple[tuple[int, int], np.ndarray, float, float]]:
        """Yield groups of samples that were not run, and what audited ones of their kind tell.

        That is their level and draw, which they are, their mean, and its variance. Where none were
        audited, those of the same fate at all levels and draws tell the mean. The variance takes
        one more sample to be there, so that it is none of a few that fare alike: it lies between
        the usual one and one that may fare either way.
        """
        for fate in (0, 1):
            alike = self.assumed == fate
            audited = alike & (self.known != _UNKNOWN)
            usual = _mean(self.known[audited], fate)
            for cell in map(tuple, np.argwhere((alike & ~audited).any(axis=2))):
                hits, skipped = self.known[cell][audited[cell]], alike[cell] & ~audited[cell]
                likely = (hits.sum() + (usual + 0.5) / 2) / (len(hits) + 1)
                several = 1 / max(1, len(hits)) + 1 / int(skipped.sum())
                spread = float(likely * (1 - likely)) * several
                yield cell, skipped, _mean(hits, usual), spread


def _mean(hits: np.ndarray, otherwise: float) -> float:
    return float(hits.mean()) if len(hits) else float(otherwise)


def halvings(count: int, full: Iterable[int]) -> Iterator[list[int]]:
    """Yield the places 0 ... count - 1 that are not `full`: the middles between, and so on."""
    known = sorted(full)
    while middles := [(a + b) // 2 for a, b in pairwise(known) if b - a > 1]:
        yield middles
        known = sorted([*known, *middles])


def _nearest(known: np.ndarray) -> np.ndarray:
    """Return the first entry along axis 0 that is known."""
    first = (known != _UNKNOWN).argmax(axis=0)
    return np.asarray(np.take_along_axis(known, first[None], axis=0)[0])
