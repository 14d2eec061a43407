"""How far the curves of two models are apart, on average over the layers that both have.

Models that were audited on the same batches share their samples, so that most of what moves one
score from resample to resample moves the other as well. A difference is therefore resampled as
one number: every draw weighs the samples of both models alike. Where samples are not the same, the
intervals of both are put together.

Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 2.4 (percentile
interval) and 3.8 (batches, then samples inside of them); Efron & Tibshirani (1993), section 8.3,
for pairs as the units of resampling; Zou & Donner (2008) for differences of independent estimates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from onnxmem.compression import curve
from onnxmem.records import Curve, Report


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of other curves minus that of first ones, and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The same curve of the first model and of another one."""

    first: Curve
    other: Curve

    @property
    def difference(self) -> float:
        """The AuC of the other one minus that of the first."""
        return self.other.auc - self.first.auc

    @property
    def slack(self) -> float:
        """How far the difference may be off for the ranks that were left out."""
        return self.other.auc_bound + self.first.auc_bound

    def resampled(self, seed: int) -> np.ndarray | None:
        """Return the difference in each resample (draws,), None where samples are not known."""
        first, other = _samples(self.first), _samples(self.other)
        if first is None or other is None or len(first) != len(other):
            return None
        drawn: np.ndarray = _weights(_sizes(self.first), seed) @ (other - first)
        return drawn

    def resampled_batches(self, seed: int) -> np.ndarray | None:
        """Return the same from whole batches, for reports that do not tell what a sample adds."""
        one, two = self.first.groups, self.other.groups
        alike = [(a.label, a.samples) for a in one] == [(b.label, b.samples) for b in two]
        if not alike or len(one) < 2:
            return None
        sizes = np.array([group.samples for group in one], np.float64)
        apart = np.array([b.auc - a.auc for a, b in zip(one, two, strict=True)])
        times = curve.resample([np.array([place]) for place in range(len(one))], seed) * sizes
        drawn: np.ndarray = times @ apart / times.sum(axis=1)
        return drawn


def shared_seed(reports: Sequence[Report]) -> int | None:
    """Return the seed of the resamples, None where the batches are not known to be the same."""
    measured = [report for report in reports if report.measured]
    batches = {report.data.batches for report in measured}
    seed = reports[0].settings.get("seed")
    known = len(batches) == 1 and "" not in batches
    return seed if known and isinstance(seed, int) and seed >= 0 else None


def paired(pairs: Sequence[Pair], seed: int | None) -> Difference | None:
    """Return the mean difference of `pairs`, None where some samples are not known to be the same.

    It is widened by what the ranks that were left out could change.
    """
    return _paired(pairs, [None if seed is None else pair.resampled(seed) for pair in pairs])


def paired_by_batches(pairs: Sequence[Pair], seed: int) -> Difference | None:
    """Return the same where reports tell of batches alone."""
    return _paired(pairs, [pair.resampled_batches(seed) for pair in pairs])


def _paired(pairs: Sequence[Pair], drawn: Sequence[np.ndarray | None]) -> Difference | None:
    known = [one for one in drawn if one is not None]
    if not pairs or len(known) < len(pairs):
        return None
    value = float(np.mean([pair.difference for pair in pairs]))
    low, high = curve.interval(np.mean(known, axis=0))
    slack = float(np.mean([pair.slack for pair in pairs]))
    return Difference(value, min(low, value) - slack, max(high, value) + slack)


def apart(pairs: Sequence[Pair]) -> Difference:
    """Return the mean difference of curves that were measured on samples of their own."""
    first = _mean([pair.first for pair in pairs])
    other = _mean([pair.other for pair in pairs])
    value = other.value - first.value
    below = math.hypot(other.value - other.low, first.high - first.value)
    above = math.hypot(other.high - other.value, first.value - first.low)
    return Difference(value, value - below, value + above)


def _mean(curves: Sequence[Curve]) -> Difference:
    """Return the mean AuC of curves of one model, which share their samples, and its interval."""
    value = float(np.mean([one.auc for one in curves]))
    slack = float(np.mean([one.auc_bound for one in curves]))
    known = [shares for one in curves if (shares := _samples(one)) is not None]
    sizes = {_sizes(one) for one in curves}
    if len(known) < len(curves) or len(sizes) > 1:
        bounds = np.mean([(one.auc_low, one.auc_high) for one in curves], axis=0)
        return Difference(value, *map(float, bounds))
    low, high = curve.interval(_weights(sizes.pop(), 0) @ np.mean(known, axis=0))
    return Difference(value, min(low, value) - slack, max(high, value) + slack)


def _sizes(one: Curve) -> tuple[int, ...]:
    return tuple(group.samples for group in one.groups)


def _samples(one: Curve) -> np.ndarray | None:
    """Return what each sample adds to an AuC (samples,), None where the report does not say."""
    try:
        shares = curve.unpack(one.sample_auc)
    except ValueError:
        return None
    return shares if len(shares) == sum(_sizes(one)) > 0 else None


@lru_cache(maxsize=4)
def _weights(sizes: tuple[int, ...], seed: int) -> np.ndarray:
    """Return the bootstrap weights (draws, samples) of batches of `sizes`, one after the other."""
    edges = np.cumsum([0, *sizes])
    groups = [np.arange(low, high) for low, high in pairwise(edges)]
    return curve.resample(groups, seed)
