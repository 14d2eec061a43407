"""How alike two networks are on the same inputs: their layers, their neighbours, their answers.

Sources: Kornblith, Norouzi, Lee & Hinton (2019), Similarity of Neural Network Representations
Revisited, for linear CKA; Song et al. (2012), Feature Selection via Dependence Maximization,
equation 5, for HSIC without bias, taken for CKA by Nguyen, Raghu & Kornblith (2021),
Do Wide and Deep Networks Learn the Same Things?; Cohen (1960), A coefficient of agreement for
nominal scales.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.neighbours import Directions, Nearest, nearest
from onnxmem.records import Estimate

NEIGHBOURS = 10

FEWEST = NEIGHBOURS + 2
"""Inputs from which on two layers can be compared."""

_FLAT = 1e-12
"""A layer that varies by less than this share of its own size does not vary but by rounding."""

_DRAWS = 1000


def linear_cka(one: Array, other: Array, projected: tuple[int, int] = (0, 0)) -> float | None:
    """Return the linear centered kernel alignment of two layers, estimated without bias.

    1 where one is the other but for a rotation, a shift and a scale; about 0, on either side,
    where they have nothing to do with each other, however few inputs there are beside features.

    Args:
        one: (inputs, features) on the same inputs as the other, in the same order.
        other: (inputs, other features).
        projected: to how many features each was brought by a random projection, both by the same
            drawing; 0 where by none. What the projection adds on average is taken off again.

    Returns:
        None where a layer does not vary, or there are fewer than four inputs.
    """
    if len(one) < 4:
        return None
    x, y = _centred(one), _centred(other)
    if x is None or y is None:
        return None
    first, second = projected
    own = _hsic(x, x, first) * _hsic(y, y, second)
    both = first if first and second else 0
    return _hsic(x, y, both) / float(np.sqrt(own)) if own > 0 else None


def _centred(features: Array) -> Array | None:
    """Return features in double precision less their mean, None where they do not vary."""
    xp = namespace(features)
    wide = features.astype(xp.float64)
    size = float((wide * wide).sum())
    wide = wide - wide.mean(axis=0)
    varies = float((wide * wide).sum())
    return wide / varies**0.5 if varies > _FLAT * size else None


def _hsic(x: Array, y: Array, projected: int) -> float:
    """Return HSIC of linear kernels of centred features, times a number of the inputs alone.

    Equation 5 of Song et al. (2012) where the columns sum to 0, so that no (inputs, inputs) matrix
    is needed. For features that were projected to so many by Gaussian directions R, the squares of
    their products are too large by what E[RR' A RR'] has beside A (Wishart moments of order two).
    """
    n = len(x)
    k, one = (x * x).sum(axis=1), (y * y).sum(axis=1)
    product = x.T @ y
    together = float((product * product).sum())
    same, traces = float((k * one).sum()), float(k.sum()) * float(one.sum())
    if projected:
        cross = (x * y).sum(axis=1)
        together = (together - float(cross.sum()) ** 2 / projected) / (1 + 1 / projected)
        same -= 2 / projected * float((cross * cross).sum())
        traces -= 2 / projected * together
    return together - n / (n - 2) * same + traces / ((n - 1) * (n - 2))


def nearest_others(
    features: Array, apply: Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]
) -> Nearest:
    """Return the `NEIGHBOURS` nearest others of each input, by the angle from the mean.

    Args:
        features: (inputs, features) float32, of `FEWEST` inputs at least.
        apply: what works on several blocks at once.
    """
    directions = Directions.of(features)(features)
    return nearest(directions, directions, NEIGHBOURS, np.arange(len(features)), apply)


def neighbour_overlap(one: Nearest, other: Nearest) -> float:
    """Return the share of nearest others that two layers have in common, mean over inputs.

    By chance it is `NEIGHBOURS` over the number of others.
    """
    shared = (one.rows[:, :, None] == other.rows[:, None, :]).any(axis=2)
    return float(shared.mean())


def kappa(one: np.ndarray, other: np.ndarray, seed: int) -> Estimate | None:
    """Return Cohen's kappa of two predictions (inputs,), with a 95 % bootstrap interval.

    The agreement beyond chance: 0 where the answers have nothing to do with each other, 1 where
    they are the same. None where both networks give one and the same answer to everything.
    """
    classes, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    table = np.zeros((len(classes), len(classes)))
    np.add.at(table, (places[: len(one)], places[len(one) :]), 1)
    value = _kappa(table[None])[0]
    if np.isnan(value):
        return None
    shares = table.ravel() / table.sum()
    drawn = np.random.default_rng([seed, 0xCA99A]).multinomial(len(one), shares, _DRAWS)
    found = _kappa(drawn.reshape(_DRAWS, *table.shape))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return Estimate(float(value), min(float(low), float(value)), max(float(high), float(value)))


def _kappa(tables: np.ndarray) -> np.ndarray:
    """Return kappa of tables (n, classes, classes) of counts, NaN where chance explains all."""
    total = tables.sum(axis=(1, 2))
    agree = np.trace(tables, axis1=1, axis2=2) / total
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(chance < 1, (agree - chance) / (1 - chance), np.nan))
