"""Arrays that NumPy cannot touch, as strict as those of CuPy 14.

Methods take the arguments that CuPy's do; what cuSOLVER returns lies in memory by columns; new
memory holds NaN; float32 below the smallest normal number is zero (CuPy compiles with -ftz=true).
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from fake_streams import refuse_while_capturing

CUDA = 2
"""The kind of a CUDA device in DLPack."""

METHODS = {
    "all": "axis out keepdims",
    "argmax": "axis out dtype keepdims",
    "any": "axis out keepdims",
    "astype": "dtype order casting subok copy",
    "copy": "order",
    "max": "axis out keepdims",
    "mean": "axis dtype out keepdims",
    "min": "axis out keepdims",
    "sum": "axis dtype out keepdims",
    "swapaxes": "axis1 axis2",
    "take": "indices axis out",
    "view": "dtype",
}
ATTRIBUTES = ("dtype", "flags", "itemsize", "nbytes", "ndim", "shape", "size", "strides")
OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "pow", "and", "or"]
OPERATORS += ["lt", "le", "gt", "ge", "eq", "ne"]
VIEWS = ("broadcast_to", "moveaxis", "swapaxes", "view")
BY_COLUMNS = ("eigh", "qr")
"""What gives matrices that lie in memory by columns."""
ALIGNMENT = 512
"""Bytes."""


class ndarray:
    """An array on a device that is none."""

    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            return getattr(self.values, name)
        if name in METHODS:
            return on_device(getattr(self.values, name), name, METHODS[name], self)
        raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}, or not here")

    @property
    def T(self) -> ndarray:
        return ndarray(self.values.T)

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.values.ctypes.data)

    def reshape(self, *shape: Any) -> ndarray:
        return ndarray(self.values.reshape(*shape))

    def get(self) -> np.ndarray:
        refuse_while_capturing("get")
        return self.values.copy()

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: Any = None,
    ) -> Any:
        return self.values.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return CUDA, 0

    def __getitem__(self, key: Any) -> Any:
        return ndarray(np.asarray(self.values[index(key)]))

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse_while_capturing("assignment")
        self.values[index(key)] = plain(value)

    def __iter__(self) -> Any:
        return (ndarray(np.asarray(value)) for value in self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        refuse_while_capturing("bool")
        return bool(self.values)

    def __float__(self) -> float:
        refuse_while_capturing("float")
        return float(self.values)

    def __int__(self) -> int:
        refuse_while_capturing("int")
        return int(self.values)

    def transpose(self, *axes: Any) -> ndarray:
        return ndarray(self.values.transpose(*axes))

    def __abs__(self) -> ndarray:
        refuse_while_capturing("abs")
        return wrapped(abs(self.values))

    def __neg__(self) -> ndarray:
        return wrapped(-self.values)

    def __invert__(self) -> ndarray:
        return wrapped(~self.values)

    def __matmul__(self, other: Any) -> ndarray:
        refuse_while_capturing("matmul")
        if not isinstance(other, ndarray):
            return NotImplemented
        return wrapped(self.values @ other.values)


def _operator(name: str) -> Any:
    def call(self: ndarray, other: Any) -> Any:
        refuse_while_capturing(name)
        if isinstance(other, tuple | list):
            raise TypeError(f"Unsupported type {type(other)}")
        return wrapped(getattr(self.values, name)(plain(other)))

    return call


def _in_place(name: str) -> Any:
    def call(self: ndarray, other: Any) -> ndarray:
        refuse_while_capturing(name)
        getattr(self.values, name)(plain(other))
        flush(self.values)
        return self

    return call


for _name in OPERATORS:
    for _form, _make in (("", _operator), ("r", _operator), ("i", _in_place)):
        if hasattr(np.ndarray, f"__{_form}{_name}__"):
            setattr(ndarray, f"__{_form}{_name}__", _make(f"__{_form}{_name}__"))


def plain(value: Any) -> Any:
    """Return what NumPy understands; refuse its own arrays."""
    if isinstance(value, ndarray):
        return value.values
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, tuple | list):
        return type(value)(plain(one) for one in value)
    return value


def index(key: Any) -> Any:
    """Return an index as NumPy takes it; CuPy takes one mask at most."""
    found = plain(key)
    parts = found if isinstance(found, tuple) else (found,)
    masks = [one for one in parts if isinstance(one, np.ndarray) and one.dtype == bool]
    if len(masks) > 1 or (masks and any(isinstance(one, list) for one in parts)):
        raise NotImplementedError("several arrays in one index, and a mask among them")
    return found


def aligned(values: np.ndarray) -> np.ndarray:
    """Return a copy that begins where memory of a device does."""
    memory = np.empty(values.nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    order = "F" if values.flags.fnc else "C"
    copy = np.ndarray(values.shape, values.dtype, memory.data, start, order=order)
    copy[...] = values
    return copy


def flush(values: np.ndarray) -> None:
    """Make zero of what is below the smallest normal number, as CuPy's kernels do."""
    if values.dtype == np.float32 and values.flags.writeable:
        values[np.abs(values) < np.finfo(np.float32).tiny] = 0


def wrapped(value: Any) -> Any:
    """Return what a function has computed as an array of its own, in the order of C."""
    found = np.asarray(value, order="C")
    flush(found)
    return ndarray(found)


def on_device(function: Callable[..., Any], name: str, names: str, *own: ndarray) -> Any:
    """Return a function of NumPy, or a method of `own`, as one of CuPy that takes `names`."""
    allowed = names.split()

    def call(*given: Any, **named: Any) -> Any:
        if len(given) > len(allowed) or not named.keys() <= set(allowed[len(given) :]):
            raise TypeError(f"{name}() of CuPy takes {names}; not {len(given)} and {[*named]}")
        if name not in VIEWS:
            refuse_while_capturing(name)
        found = function(*plain(given), **{key: plain(one) for key, one in named.items()})
        for one in (*own, *given):
            if isinstance(one, ndarray) and found is one.values:
                return one
        return _result(name, found)

    return call


def _result(name: str, found: Any) -> Any:
    if isinstance(found, tuple):
        return tuple(_result(name, one) for one in found)
    if name == "copy":
        found = aligned(found)
    if name == "empty":
        found.fill(np.nan if found.dtype.kind == "f" else 101)
    if name in VIEWS or name == "astype":
        return ndarray(found)
    if name in BY_COLUMNS and found.ndim == 2:
        return ndarray(np.asfortranarray(found))
    return wrapped(found)
