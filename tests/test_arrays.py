"""The array namespace."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

from onnxmem import arrays
from onnxmem.errors import DeviceError


def test_namespace_is_the_library_of_the_array(xp: ModuleType) -> None:
    assert arrays.namespace(xp.zeros(3)) is xp
    assert arrays.is_cupy(xp.zeros(3)) is (xp is not np)


def test_to_host_gives_numpy(xp: ModuleType) -> None:
    array = arrays.to_host(xp.arange(4.0))
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(array, [0, 1, 2, 3])


def test_to_host_does_not_copy_what_is_there() -> None:
    array = np.arange(4)
    assert arrays.to_host(array) is array


def test_free_memory_is_positive() -> None:
    assert arrays.free_memory(on_device=False) > 0


def test_partners_share_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_free", lambda on_device: 1000)
    with arrays.sharing(4):
        assert arrays.free_memory(on_device=False) == 250
        assert arrays.own_cores() == max(1, len(arrays.cores()) // 4)
    assert arrays.free_memory(on_device=False) == 1000


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed")
def test_missing_cupy_names_the_line_that_installs_it() -> None:
    with pytest.raises(DeviceError, match=r"pip install 'cupy-cuda13x"):
        arrays.load_cupy()


def test_asking_for_the_library_does_not_import_cupy() -> None:
    code = (
        "import sys, numpy; from onnxmem.arrays import namespace;"
        "namespace(numpy.zeros(1)); assert 'cupy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
