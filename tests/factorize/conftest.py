"""Matrices that several of these tests share, and the array libraries that take them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest


@pytest.fixture(params=["numpy", "fake", pytest.param("cupy", marks=pytest.mark.gpu)])
def xp(request: pytest.FixtureRequest) -> ModuleType:
    """Give each array library: also CuPy without a GPU."""
    return _library(request)


@pytest.fixture(params=["numpy", pytest.param("cupy", marks=pytest.mark.gpu)])
def fast_xp(request: pytest.FixtureRequest) -> ModuleType:
    """Give the array libraries that are fit for much work."""
    return _library(request)


def _library(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "numpy":
        return np
    if request.param == "fake":
        module: ModuleType = request.getfixturevalue("fake")
        return module
    cupy: Any = pytest.importorskip("cupy")
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no CUDA device: {error}")
    real: ModuleType = cupy
    return real


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
