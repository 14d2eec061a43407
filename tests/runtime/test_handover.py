"""Tensors pass between onnxruntime and an array library as what they are."""

from __future__ import annotations

from typing import Any

import fake_cupy
import numpy as np
import onnxruntime
import pytest

from onnxmem.runtime.handover import to_array, to_value

DTYPES = ["bool", "float16", "float32", "int32", "int64", "uint8"]


class Emulated:
    """An `OrtValue` that needs no onnxruntime; its tensors are arrays of NumPy."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def data_type(self) -> str:
        known = {"float32": "float", "float64": "double"}
        return f"tensor({known.get(self.array.dtype.name, self.array.dtype.name)})"

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


class TakesBytes(Emulated):
    """As of 1.26: booleans are bytes, and whether bytes are booleans is told by `dtype`."""

    @classmethod
    def from_dlpack(cls, data: Any, /) -> Emulated:
        array = taken(data)
        if array.dtype == bool:
            raise RuntimeError("Unsupported code 6")
        return cls(array.view(bool) if str(data.dtype) == "bool" else array)

    def __dlpack__(self, *, stream: Any = None) -> Any:
        array = self.array
        return (array.view(np.uint8) if array.dtype == bool else array).__dlpack__()


class TakesBooleans(Emulated):
    """As of 1.32: what is handed over says itself what it is, and nothing else does."""

    @classmethod
    def from_dlpack(cls, data: Any, /) -> Emulated:
        return cls(taken(data))

    def __dlpack__(self, *, stream: Any = None) -> Any:
        return self.array.__dlpack__()


class Capsule:
    """What one library handed over, for another to take."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def taken(data: Any) -> np.ndarray:
    """Return what `data` hands over, as a library takes it that knows nothing else of it."""
    return np.asarray(fake_cupy.Writable(np.from_dlpack(Capsule(data.__dlpack__()))))


@pytest.fixture(params=[onnxruntime.OrtValue, TakesBytes, TakesBooleans])
def values(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("shape", [(), (0, 3), (1, 1), (2, 3)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_comes_back_with_its_type(values: Any, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    value = to_value(values, array)
    assert value.data_type() == f"tensor({'float' if dtype == 'float32' else dtype})"
    back = to_array(np, value)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


def test_what_is_not_contiguous_is_copied(values: Any) -> None:
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    back = to_array(np, to_value(values, array))
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_else_is_copied(values: Any, dtype: str) -> None:
    array = np.zeros(3, dtype)
    back = to_array(np, to_value(values, array))
    array[1] = True
    assert back.tolist() == [False, True, False]
