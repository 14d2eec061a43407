"""Accuracy against rank: the area under it, its interval, and when it says nothing.

Nothing here knows where the accuracies come from. `correct` is an array (points, samples) that
holds, for every measured point of a curve, whether each sample was classified correctly (or the
share of random draws in which it was).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Literal

import numpy as np

from onnxmem.arrays import Array
from onnxmem.records import SATURATION

XName = Literal["rank", "fraction"]

CONFIDENCE = 0.95

_STEPS = 65_535


def positions(x: Sequence[float], x_name: XName) -> np.ndarray:
    """Return where the points lie on the axis of integration: log2 of a rank, or the fraction."""
    values = np.asarray(x, np.float64)
    return np.log2(values) if x_name == "rank" else values


def area(x: Sequence[float], accuracy: Array, x_name: XName) -> Array:
    """Return the area under the curve divided by its width: the AuC, between 0 and 1.

    Args:
        x: (points,) increasing ranks or kept fractions.
        accuracy: (..., points) accuracies.
        x_name: ranks are integrated over log2, fractions as they are.
    """
    axis = positions(x, x_name)
    values = np.asarray(accuracy, np.float64)
    mean = values[..., 0] if len(axis) == 1 else np.trapezoid(values, axis) / (axis[-1] - axis[0])
    return np.clip(mean, 0.0, 1.0)  # rounding may pass the ends


def is_saturated(auc: float, baseline: float) -> bool:
    """Tell whether a curve lies at its ceiling, so that it tells layers apart no more."""
    return auc >= SATURATION * baseline


def is_above(auc: float, baseline: float, least: float) -> bool:
    """Tell whether a curve lies above its ceiling, so that compression mends more than it breaks.

    `least` is the lower bound of how far it does, from resampling both with the same samples.
    """
    return least > 0 and auc * SATURATION >= baseline


def resample(groups: Sequence[np.ndarray], seed: int, draws: int = 1000) -> np.ndarray:
    """Return bootstrap weights (draws, samples): batches are drawn, then samples inside of them.

    Two-stage resampling as for clustered data (Davison & Hinkley 1997, section 3.8). With a
    single batch only the samples are drawn.

    Args:
        groups: the sample numbers of each batch.
        seed: of the draws; equal seeds give equal weights, so that layers are resampled alike.
        draws: the number of resamples. Each row sums to 1.
    """
    rng = np.random.default_rng([seed, 0xB007])
    drawn = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=draws)
    weights = np.empty((draws, sum(len(group) for group in groups)), np.float32)
    for group, times in zip(groups, drawn.T, strict=True):
        even = np.full(len(group), 1 / len(group))
        weights[:, group] = rng.multinomial(times * len(group), even)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def redraw(count: int, seed: int, draws: int = 1000) -> np.ndarray:
    """Return bootstrap weights (draws, count) of what was drawn at random `count` times.

    One less than there are is taken with replacement, which gives the mean of a few its true
    variance (Rao & Wu 1988). Each row sums to 1.
    """
    if count == 1:
        return np.ones((draws, 1))
    rng = np.random.default_rng([seed, 0xD7A5])
    taken: np.ndarray = rng.multinomial(count - 1, np.full(count, 1 / count), size=draws)
    return taken / (count - 1)


def pack(shares: np.ndarray) -> str:
    """Return numbers between 0 and 1 as text: base64 of 16 bits each, little-endian, 65535 for 1.

    The area under a mean of curves is the mean of their areas, so the areas of single samples are
    all that resampling needs.
    """
    steps = np.rint(np.asarray(shares, np.float64) * _STEPS).astype("<u2")
    return base64.b64encode(steps.tobytes()).decode("ascii")


def unpack(text: str) -> np.ndarray:
    """Return the numbers (count,) that `pack` made `text` of, exact to 1e-5.

    Raises:
        ValueError: it is no such text.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error
    return np.frombuffer(data, "<u2").astype(np.float64) / _STEPS


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the percentile interval of bootstrap `values` at the level of CONFIDENCE."""
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
