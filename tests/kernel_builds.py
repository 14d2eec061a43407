"""The builds of the coordinate sweeps that a machine without a GPU can run: NumPy's and Numba's."""

from __future__ import annotations

import pytest

from onnxmem.factorize import kernel

BUILDS = ["numpy", "numba"]


def choose(build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the sweeps in this build, and skip the test where it is not installed."""
    if build == "numpy":
        monkeypatch.setattr(kernel, "compiled", lambda: None)
    elif kernel.compiled() is None:
        pytest.skip("Numba is not installed")
