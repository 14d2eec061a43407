"""A CuPy that needs no GPU: arrays that NumPy cannot touch, and kernels that the CPU executes.

It has what the package uses and no more, and is as strict as CuPy 14 is: arrays of NumPy among its
own are refused, and NumPy's functions on its arrays; functions and methods take the arguments that
CuPy's do; what cuSOLVER returns lies in memory by columns; new memory holds NaN; float32 below the
smallest normal number is zero (CuPy compiles with -ftz=true); kernels take contiguous arrays of
their types, and grids and blocks of the sizes that a device takes.
While a stream captures, launches are recorded, and all that would multiply, allocate or wait is
refused; a graph that is launched fails where memory that it works on has been freed.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from fake_kernels import TYPES, built, parameters

CUDA = 2
"""The kind of a CUDA device in DLPack."""

FUNCTIONS = {
    "all": "a axis out keepdims",
    "any": "a axis out keepdims",
    "ascontiguousarray": "a dtype",
    "broadcast_to": "array shape",
    "concatenate": "arrays axis out",
    "empty": "shape dtype order",
    "eye": "N M k dtype order",
    "full": "shape fill_value dtype order",
    "moveaxis": "a source destination",
    "ones": "shape dtype order",
    "arange": "start stop step dtype",
    "stack": "arrays axis out",
    "trace": "a offset axis1 axis2 dtype out",
    "vdot": "a b",
    "where": "condition x y",
    "zeros": "shape dtype order",
}
UFUNCS = dict.fromkeys(("abs", "isfinite", "isnan", "sqrt"), "x out")
UFUNCS |= dict.fromkeys(("maximum", "minimum"), "x1 x2 out")
SOLVERS = {"eigh": "a UPLO", "inv": "a", "norm": "x ord axis keepdims", "qr": "a mode"}
METHODS = {
    "all": "axis out keepdims",
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
OPERATORS = ["add", "sub", "mul", "truediv", "pow", "and", "or"]
OPERATORS += ["lt", "le", "gt", "ge", "eq", "ne"]
VIEWS = ("broadcast_to", "moveaxis", "swapaxes", "view")
BY_COLUMNS = ("eigh", "qr")
"""What gives matrices that lie in memory by columns."""
MOST_BLOCKS, MOST_THREADS = ((1 << 31) - 1, 65535, 65535), 1024


class CUDARuntimeError(RuntimeError):
    """What CUDA complains about."""


class Stream:
    """A stream on which everything is done at once, or recorded."""

    entered: ClassVar[list[Stream]] = []

    def __init__(self, null: bool = False, non_blocking: bool = False) -> None:
        self.ptr = 0 if null else id(self)
        self.recorded: list[Any] | None = None

    def __enter__(self) -> Stream:
        self.entered.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        self.entered.pop()

    def begin_capture(self) -> None:
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        self.recorded = []

    def end_capture(self) -> Graph:
        if self.recorded is None:
            raise CUDARuntimeError("cudaErrorIllegalState")
        launches, self.recorded = self.recorded, None
        return Graph(launches)


NULL = Stream(null=True)


class Graph:
    """Launches that were recorded."""

    def __init__(self, launches: list[Any]) -> None:
        self.launches = launches

    def launch(self) -> None:
        refuse_while_capturing("cudaErrorStreamCaptureUnsupported")
        for one in self.launches:
            one()


class Device:
    """The only device."""

    mem_info = (1 << 34, 1 << 35)

    def __init__(self, device: int = 0) -> None:
        if device != 0:
            raise CUDARuntimeError("cudaErrorInvalidDevice")
        self.id = device

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


def current_stream() -> Stream:
    return Stream.entered[-1] if Stream.entered else NULL


def refuse_while_capturing(what: str) -> None:
    if current_stream().recorded is not None:
        raise NotImplementedError(f"{what} during stream capture is unsupported")


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
            return on_device(getattr(self.values, name), name, METHODS[name])
        raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}, or not here")

    @property
    def T(self) -> ndarray:
        return ndarray(self.values.T)

    def reshape(self, *shape: Any) -> ndarray:
        return ndarray(self.values.reshape(*shape))

    def get(self) -> np.ndarray:
        refuse_while_capturing("get")
        return self.values.copy(order="A")

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


def flush(values: np.ndarray) -> None:
    """Make zero of what is below the smallest normal number, as CuPy's kernels do."""
    if values.dtype == np.float32 and values.flags.writeable:
        values[np.abs(values) < np.finfo(np.float32).tiny] = 0


def wrapped(value: Any) -> Any:
    """Return what a function has computed as an array of its own, in the order of C."""
    found = np.asarray(value, order="C")
    flush(found)
    return ndarray(found)


def on_device(function: Callable[..., Any], name: str, names: str) -> Any:
    """Return a function of NumPy as one of CuPy, which takes the arguments `names`."""
    allowed = names.split()

    def call(*given: Any, **named: Any) -> Any:
        if len(given) > len(allowed) or not named.keys() <= set(allowed[len(given) :]):
            raise TypeError(f"{name}() of CuPy takes {names}; not {len(given)} and {[*named]}")
        if name not in VIEWS:
            refuse_while_capturing(name)
        found = function(*plain(given), **{key: plain(one) for key, one in named.items()})
        return found if name in VIEWS and isinstance(found, ndarray) else _result(name, found)

    return call


def _result(name: str, found: Any) -> Any:
    if isinstance(found, tuple):
        return tuple(_result(name, one) for one in found)
    if name == "empty":
        found.fill(np.nan if found.dtype.kind == "f" else 101)
    if name in VIEWS or name == "astype":
        return ndarray(found)
    if name in BY_COLUMNS and found.ndim == 2:
        return ndarray(np.asfortranarray(found))
    return wrapped(found)


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


class _Writable:
    """Memory of an array that NumPy takes for read-only; on a device there is no such thing."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, described = values, values.__array_interface__
        self.__array_interface__ = described | {"data": (described["data"][0], False)}


def from_dlpack(value: Any) -> ndarray:
    if value.__dlpack_device__() != (CUDA, 0):
        raise TypeError("CPU arrays cannot be directly imported to CuPy.")
    return ndarray(np.asarray(_Writable(np.from_dlpack(_OnHost(value)))))


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
    module.asarray, module.from_dlpack = asarray, from_dlpack
    module.ndarray, module.RawKernel = ndarray, RawKernel
    return module
