"""Tensors handed from onnxruntime to an array library and back, by DLPack: nothing is copied.

onnxruntime writes booleans as DLPack's bytes, and takes them as bytes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from onnxmem.arrays import Array

_BOOL = "tensor(bool)"


def to_value(values: Any, array: Array) -> Any:
    """Return `array`, C-contiguous, as an instance of `values`, onnxruntime's class `OrtValue`."""
    return values.from_dlpack(_Booleans(array) if array.dtype == bool else array)


def to_array(xp: ModuleType, value: Any) -> Array:
    """Return onnxruntime's `value` as an array of `xp`."""
    array = xp.from_dlpack(value)
    return array.view(bool) if value.data_type() == _BOOL else array


@dataclass(frozen=True, slots=True)
class _Booleans:
    """A boolean array that hands over bytes; onnxruntime goes by `dtype` to know what they are."""

    array: Array
    dtype: ClassVar[np.dtype[np.bool_]] = np.dtype(bool)

    def __dlpack__(self) -> Any:
        return self.array.view(np.uint8).__dlpack__()
