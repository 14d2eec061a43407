"""The graph of a function of one number, and the functions that it may be the graph of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

GRID = np.linspace(-8.0, 8.0, 65)
"""Where functions are compared: activations are told apart here, and straight beyond."""

TOLERANCE = 1e-2
"""By how much a value, or a value of 1, may differ: constants may be in half precision or in eight
bits, and GELU has an approximation. No two kinds are as close."""

FEWEST = 8
"""Known values below zero without which nothing is told."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values y at the places x, both (n,) float64; not a number where a value is not known.

    `several` tells that the function is another one for each feature, of which this is one.
    """

    x: np.ndarray
    y: np.ndarray
    several: bool = False

    @property
    def is_telling(self) -> bool:
        """Whether enough values are known below zero, where activations differ."""
        return int((np.isfinite(self.y) & (self.x < 0)).sum()) >= FEWEST

    def at(self, x: float) -> float:
        """Return the value at one of the places."""
        return float(self.y[np.abs(self.x - x).argmin()])

    def fits(self, function: Callable[[np.ndarray], np.ndarray], tolerance: float = 1.0) -> bool:
        """Tell whether all known values are those of `function`."""
        with np.errstate(all="ignore"):
            expected = function(self.x)
            room = tolerance * TOLERANCE * np.maximum(1, np.abs(expected))
            known = np.isfinite(self.y)
            return bool((np.abs(self.y - expected)[known] <= room[known]).all())


def erf(x: np.ndarray) -> np.ndarray:
    """Return the error function."""
    return np.array([math.erf(one) for one in x.flat]).reshape(x.shape)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


def softplus(x: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(x))."""
    return np.asarray(np.logaddexp(x, 0))


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """Return x where it is positive, else alpha (exp(x) - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu(x: np.ndarray) -> np.ndarray:
    """Return x times the normal distribution function of x (Hendrycks, Gimpel 2016)."""
    return np.asarray(x * (0.5 + 0.5 * erf(x / math.sqrt(2))))


def mish(x: np.ndarray) -> np.ndarray:
    """Return x tanh(softplus(x)) (Misra 2019)."""
    return np.asarray(x * np.tanh(softplus(x)))


def hard_sigmoid(x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """Return alpha x + beta, cut off at 0 and at 1."""
    return np.asarray(np.clip(alpha * x + beta, 0, 1))
