"""Tensors pass between onnxruntime and an array library as what they are."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from onnxmem.runtime.handover import to_array, to_value


@pytest.mark.parametrize("shape", [(), (0, 3), (1, 1), (2, 3)])
@pytest.mark.parametrize("dtype", ["bool", "float16", "float32", "int32", "int64", "uint8"])
def test_an_array_comes_back_with_its_type(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    value = to_value(onnxruntime.OrtValue, array)
    known = {"bool": "bool", "float16": "float16", "float32": "float"}
    assert value.data_type() == f"tensor({known.get(dtype, dtype)})"
    back = to_array(np, value)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


def test_what_is_not_contiguous_is_copied() -> None:
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    back = to_array(np, to_value(onnxruntime.OrtValue, array))
    np.testing.assert_array_equal(back, array)


def test_nothing_else_is_copied() -> None:
    array = np.zeros(3, bool)
    back = to_array(np, to_value(onnxruntime.OrtValue, array))
    array[1] = True
    assert back.tolist() == [False, True, False]
