"""Fixtures for all rooms: the array libraries, and small networks that know their samples."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
import sample_networks
from hypothesis import settings
from sample_networks import Sample

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


@pytest.fixture(scope="session")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Give a network of two hidden layers, `relu1` and `relu2`, with 4 classes of 24 samples."""
    return sample_networks.make_mlp(tmp_path_factory.mktemp("mlp"))


@pytest.fixture(scope="session")
def cnn(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Give a residual network with the ReLUs `stem`, `inner` and `joined`."""
    return sample_networks.make_cnn(tmp_path_factory.mktemp("cnn"))
