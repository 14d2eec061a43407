"""A CuPy that needs no GPU: arrays that NumPy cannot touch, and kernels that the CPU executes.

It has what the package uses and no more, and is as strict as CuPy 14 is: arrays of NumPy among its
own are refused, and NumPy's functions on its arrays; functions take the arguments that CuPy's do;
kernels take contiguous arrays of their types, and grids and blocks of the sizes that a device
takes. A graph that is launched fails where memory that it works on has been freed.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from fake_arrays import CUDA, flush, ndarray, on_device, wrapped
from fake_kernels import TYPES, built, parameters
from fake_streams import (
    CUDARuntimeError,
    Device,
    Stream,
    current_stream,
    refuse_while_capturing,
)

FUNCTIONS = {
    "all": "a axis out keepdims",
    "any": "a axis out keepdims",
    "argpartition": "a kth axis",
    "argsort": "a axis kind",
    "ascontiguousarray": "a dtype",
    "bincount": "x weights minlength",
    "broadcast_to": "array shape",
    "concatenate": "arrays axis out",
    "empty": "shape dtype order",
    "eye": "N M k dtype order",
    "flatnonzero": "a",
    "full": "shape fill_value dtype order",
    "moveaxis": "a source destination",
    "ones": "shape dtype order",
    "arange": "start stop step dtype",
    "stack": "arrays axis out",
    "take_along_axis": "a indices axis",
    "trace": "a offset axis1 axis2 dtype out",
    "vdot": "a b",
    "where": "condition x y",
    "zeros": "shape dtype order",
}
UFUNCS = dict.fromkeys(("abs", "frexp", "isfinite", "isnan", "sqrt"), "x out")
UFUNCS |= dict.fromkeys(("cos", "cosh", "exp", "log", "sign", "sin", "sinh", "tanh"), "x out")
UFUNCS |= dict.fromkeys(("ldexp", "logaddexp", "maximum", "minimum", "power"), "x1 x2 out")
SOLVERS = {"eigh": "a UPLO", "inv": "a", "norm": "x ord axis keepdims", "qr": "a mode"}
MOST_BLOCKS, MOST_THREADS = ((1 << 31) - 1, 65535, 65535), 1024


def of_arrays(function: Callable[..., Any], name: str) -> Any:
    """Return a function whose first argument is an array, or several of them."""

    def call(first: Any, *given: Any, **named: Any) -> Any:
        arrays = [*first] if isinstance(first, tuple | list) else [first]
        if not all(isinstance(one, ndarray) for one in arrays):
            raise TypeError(f"{name}() of CuPy takes its own arrays only")
        if name in SOLVERS and first.dtype.kind == "f" and first.itemsize == 2:
            raise TypeError("array type float16 is unsupported in linalg")
        return function(first, *given, **named)

    return call


class RawKernel:
    """A kernel of CUDA source, executed on the CPU."""

    def __init__(self, code: str, name: str, options: tuple[str, ...] = ()) -> None:
        assert isinstance(options, tuple)
        self.types, self.kernels = parameters(code, name), built(code, name, options)

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], given: tuple[Any, ...]
    ) -> None:
        assert type(grid) is type(block) is tuple
        assert all(0 < n <= most for n, most in zip(grid, MOST_BLOCKS, strict=False)), grid
        assert 0 < int(np.prod(block)) <= MOST_THREADS, block
        kept = [self._argument(kind, one) for kind, one in zip(self.types, given, strict=True)]
        pointers = (ctypes.c_void_p * len(kept))(*(one.ctypes.data for one in kept))
        memory = [weakref.ref(owner(one.values)) for one in given if isinstance(one, ndarray)]

        def launch(_pointed_at: list[np.ndarray] = kept) -> None:
            assert all(one() is not None for one in memory), "memory of a launch was freed"
            apart = self.kernels.launch(*(*grid, 1, 1)[:3], pointers)
            assert not apart, "threads of a block wait at different barriers"

        recorded = current_stream().recorded
        launch() if recorded is None else recorded.append(launch)

    @staticmethod
    def _argument(kind: str, given: Any) -> np.ndarray:
        """Return memory that holds the argument: the value, or the address of an array."""
        expected = TYPES[kind.replace("const ", "").rstrip("*")]
        if not kind.endswith("*"):
            assert type(given) is expected, (kind, type(given))
            return np.asarray(given).reshape(1)
        assert isinstance(given, ndarray) and given.values.dtype == expected, (kind, given.dtype)
        assert given.values.flags.c_contiguous
        return np.array([given.values.ctypes.data], np.uintp)


def owner(values: np.ndarray) -> np.ndarray:
    """Return the array that a view is of."""
    return values if not isinstance(values.base, np.ndarray) else owner(values.base)


def asarray(values: Any, dtype: Any = None, order: str | None = None) -> ndarray:
    refuse_while_capturing("asarray")
    if isinstance(values, ndarray) and dtype in (None, values.dtype):
        return values
    found = np.array(values.values if isinstance(values, ndarray) else values, dtype, order=order)
    if found.dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {found.dtype}")
    flush(found)
    return ndarray(found)


def einsum(equation: str, *arrays: Any, optimize: bool = False) -> ndarray:
    refuse_while_capturing("einsum")
    if not all(isinstance(one, ndarray) for one in arrays):
        raise TypeError("einsum() of CuPy takes its own arrays only")
    return wrapped(np.einsum(equation, *(one.values for one in arrays), optimize=optimize))


class _OnHost:
    """What another library hands over, as if it lay on the host."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __dlpack__(self, **_: Any) -> Any:
        try:
            return self.value.__dlpack__(stream=1, max_version=(1, 1), copy=None)
        except TypeError:
            return self.value.__dlpack__(stream=1)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


class Writable:
    """Memory of an array that NumPy takes for read-only; on a device there is no such thing."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, described = values, values.__array_interface__
        self.__array_interface__ = described | {"data": (described["data"][0], False)}


def from_dlpack(value: Any) -> ndarray:
    if value.__dlpack_device__() != (CUDA, 0):
        raise TypeError("CPU arrays cannot be directly imported to CuPy.")
    return ndarray(np.asarray(Writable(np.from_dlpack(_OnHost(value)))))


def properties(device: int) -> dict[str, Any]:
    return {"name": b"a device that is none"}


def make() -> ModuleType:
    """Return the module."""
    module: Any = ModuleType("cupy")
    creators = ("arange", "empty", "eye", "full", "ones", "zeros")
    for name, names in FUNCTIONS.items():
        function = on_device(getattr(np, name), name, names)
        setattr(module, name, function if name in creators else of_arrays(function, name))
    for name, names in UFUNCS.items():
        setattr(module, name, on_device(getattr(np, name), name, names))
    for name in ("float32", "float64", "inf", "finfo", "promote_types"):
        setattr(module, name, getattr(np, name))
    linear = {
        name: of_arrays(on_device(getattr(np.linalg, name), name, names), name)
        for name, names in SOLVERS.items()
    }
    module.linalg = SimpleNamespace(**linear)
    runtime = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        getDeviceCount=lambda: 1,
        getDeviceProperties=properties,
        runtimeGetVersion=lambda: 13000,
        driverGetVersion=lambda: 13000,
    )
    module.cuda = SimpleNamespace(
        Device=Device, Stream=Stream, get_current_stream=current_stream, runtime=runtime
    )
    module.asarray, module.from_dlpack, module.einsum = asarray, from_dlpack, einsum
    module.ndarray, module.RawKernel = ndarray, RawKernel
    return module
