"""Devices: what is taken, what is refused, and that nothing falls back that was asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from onnxmem.errors import DeviceError, UsageError
from onnxmem.runtime import CPU, select_device


@pytest.mark.parametrize("wanted", ["gpu", "cuda:", "cuda:x", "CPU", "", "cpu:0"])
def test_an_unknown_device_is_wrong_usage(wanted: str) -> None:
    with pytest.raises(UsageError, match="use auto, cpu, cuda or cuda:N"):
        select_device(wanted)


def test_a_cpu_that_is_asked_for_is_taken() -> None:
    device = select_device("cpu")
    assert (device.name, device.is_cuda, device.reason) == ("cpu", False, "asked for")
    assert device.namespace is np


def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that the installed onnxruntime has no CUDA provider."""
    wheel = SimpleNamespace(get_available_providers=lambda: [CPU])
    monkeypatch.setattr("onnxmem.runtime.choice.load_onnxruntime", lambda: wheel)


def test_auto_falls_back_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    without_cuda(monkeypatch)
    device = select_device("auto")
    assert not device.is_cuda
    assert "no CUDA provider" in device.reason


@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "cuda:3"])
def test_cuda_by_name_never_falls_back(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    without_cuda(monkeypatch)
    line = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install"
    with pytest.raises(DeviceError, match=line):
        select_device(wanted)
