"""onnxruntime itself: imported where it works, refused with the line that mends it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from onnxmem.errors import DeviceError
from onnxmem.runtime import select_device, versions


def test_missing_onnxruntime_names_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DeviceError, match=r"pip install onnxruntime"):
        select_device("cpu")


def test_overwritten_wheel_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace())
    with pytest.raises(DeviceError, match="two wheels share its name"):
        select_device("cpu")


def test_versions_name_the_libraries() -> None:
    assert {"onnx", "onnx-ir", "numpy"} <= set(versions())


def test_an_onnxruntime_that_damages_outputs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "__version__", "1.25.1")
    with pytest.raises(DeviceError, match=r"1\.25\.1 is too old.*pip install -U onnxruntime"):
        select_device("cpu")
