"""Tensors handed from onnxruntime to an array library and back, by DLPack: hardly any is copied.

Before 1.32 onnxruntime takes booleans as DLPack's bytes only, and hands them over as bytes; from
1.32 on it takes and hands over DLPack's booleans, and bytes stay bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from onnxmem.arrays import Array, is_cupy, namespace

_BOOL = "tensor(bool)"
_ALIGNMENT = 256
"""Bytes; cuDNN is told that tensors are aligned, which a slice of an array need not be."""


def to_value(values: Any, array: Array) -> Any:
    """Return `array` as an instance of `values`, onnxruntime's class `OrtValue`.

    It is copied where it is not C-contiguous, or on a device begins where no tensor would.
    """
    array = namespace(array).ascontiguousarray(array) if array.ndim else array
    if is_cupy(array) and array.data.ptr % _ALIGNMENT:
        array = array.copy()
    return _of_booleans(values, array) if array.dtype == bool else values.from_dlpack(array)


def to_array(xp: ModuleType, value: Any) -> Array:
    """Return onnxruntime's `value` as an array of `xp`."""
    array = xp.from_dlpack(value)
    return array.view(bool) if value.data_type() == _BOOL else array


def _of_booleans(values: Any, array: Array) -> Any:
    value = values.from_dlpack(_Bytes(array))
    return value if value.data_type() == _BOOL else values.from_dlpack(array)


@dataclass(frozen=True, slots=True)
class _Bytes:
    """A boolean array that hands over bytes; an old onnxruntime knows by `dtype` what they are."""

    array: Array
    dtype: ClassVar[np.dtype[np.bool_]] = np.dtype(bool)

    def __dlpack__(self) -> Any:
        return self.array.view(np.uint8).__dlpack__()
