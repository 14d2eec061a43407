"""Matrices that several of these tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


def relu_layer(m: int, q: int) -> np.ndarray:
    """Return a (m, q) matrix as a ReLU layer gives it: half zeros, approximately of low rank."""
    rng = np.random.default_rng(0)
    hidden = np.maximum(rng.standard_normal((m, 12)), 0) @ rng.standard_normal((12, q))
    return np.maximum(hidden + 0.3 * rng.standard_normal((m, q)), 0).astype(np.float32)


@pytest.fixture
def activations() -> Callable[[int, int], np.ndarray]:
    """Make (m, q) activation matrices."""
    return relu_layer


@pytest.fixture
def layer(xp: Any) -> Any:
    """A (60, 40) activation matrix."""
    return xp.asarray(relu_layer(60, 40))
