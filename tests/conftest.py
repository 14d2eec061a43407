"""Fixtures for all rooms: the array libraries, and small networks that know their samples."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import fake_cupy
import fake_onnxruntime
import numpy as np
import pytest
import sample_networks
from hypothesis import settings
from sample_networks import Sample

from onnxmem.factorize import graphs, launch
from onnxmem.runtime.device import shared_stream

_FAKE = fake_cupy.make()
_OF_USERS = (
    *("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    *("PYTHONUNBUFFERED", "PYTHONWARNINGS", "PYTHONDEVMODE", "ONNXMEM_CACHE_SIZE"),
)
"""What a user or a service may have set, and tests would see."""

for name in _OF_USERS:
    os.environ.pop(name, None)

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a cache of its own, so that it computes what it checks."""
    folder = tmp_path_factory.mktemp("cache") / "onnxmem"
    monkeypatch.setenv("ONNXMEM_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(params=["numpy", pytest.param("cupy", marks=pytest.mark.gpu)])
def xp(request: pytest.FixtureRequest) -> ModuleType:
    """Give each array library that works here."""
    if request.param == "numpy":
        return np
    cupy: Any = pytest.importorskip("cupy")
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no CUDA device: {error}")
    module: ModuleType = cupy
    return module


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give a CuPy whose kernels the CPU executes, in blocks of few threads."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ to compile the kernels with")
    monkeypatch.setitem(sys.modules, "cupy", _FAKE)
    monkeypatch.setattr(launch, "THREADS", 8)
    monkeypatch.setattr(launch, "TILE", {"THREADS": 8, "TILE": 4, "DEPTH": 8})
    monkeypatch.setattr(launch, "GROWTH", {"THREADS": 16, "WIDTH": 4})
    monkeypatch.setattr(graphs, "_refusals", [])
    return _FAKE


@pytest.fixture
def fake_gpu(fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Give the same, and an onnxruntime that runs models on its device."""
    monkeypatch.setitem(sys.modules, "onnxruntime", fake_onnxruntime.make())
    shared_stream.cache_clear()
    yield fake
    shared_stream.cache_clear()


@pytest.fixture(scope="session")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Give a network of two hidden layers, `relu1` and `relu2`, with 4 classes of 24 samples."""
    return sample_networks.make_mlp(tmp_path_factory.mktemp("mlp"))


@pytest.fixture(scope="session")
def cnn(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Give a residual network with the ReLUs `stem`, `inner` and `joined`."""
    return sample_networks.make_cnn(tmp_path_factory.mktemp("cnn"))
