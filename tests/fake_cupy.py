"""A CuPy that needs no GPU: arrays that NumPy cannot touch, and kernels that the CPU executes.

What CuPy refuses is refused here: arrays of NumPy among its own, NumPy's functions on its arrays.
A `RawKernel` is compiled by g++ behind a few lines that give CUDA's names a meaning: the blocks of
a grid run one after the other, the threads of a block as fibres that change at each barrier: first
to last and last to first in turn, so that a missing barrier shows.
While a stream captures, launches are recorded, and all that would multiply, allocate or wait is
refused; a graph that is launched fails where memory that it works on has been freed.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np

FUNCTIONS = [
    *(
        "abs",
        "all",
        "any",
        "ascontiguousarray",
        "broadcast_to",
        "concatenate",
        "empty",
        "empty_like",
    ),
    *("eye", "full", "isfinite", "maximum", "minimum", "ones", "sqrt", "stack", "tile"),
    *("trace", "vdot", "where", "zeros"),
]
OPERATORS = ["add", "sub", "mul", "truediv", "pow", "matmul", "and", "or"]
OPERATORS += ["lt", "le", "gt", "ge", "eq", "ne"]


VIEWS = ["reshape", "swapaxes"]


class CUDARuntimeError(RuntimeError):
    """What CUDA complains about."""


class Stream:
    """A stream on which everything is done at once, or recorded."""

    entered: ClassVar[list[Stream]] = []

    def __init__(self, non_blocking: bool = False) -> None:
        self.ptr = id(self) if non_blocking else 0
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


NULL = Stream()


class Graph:
    """Launches that were recorded."""

    def __init__(self, launches: list[Any]) -> None:
        self.launches = launches

    def launch(self) -> None:
        refuse_while_capturing("cudaErrorStreamCaptureUnsupported")
        for one in self.launches:
            one()


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
        raise TypeError("implicit conversion to a NumPy array is not allowed")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.values, name)
        return on_device(found, name) if callable(found) else wrapped(found)

    def get(self) -> np.ndarray:
        refuse_while_capturing("get")
        return self.values.copy()

    def setflags(self, **flags: bool) -> None:
        raise AttributeError("setflags")

    def __getitem__(self, key: Any) -> Any:
        return wrapped(self.values[plain(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse_while_capturing("assignment")
        self.values[plain(key)] = plain(value)

    def __iter__(self) -> Any:
        return (wrapped(np.asarray(value)) for value in self.values)

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
        return ndarray(-self.values)

    def __invert__(self) -> ndarray:
        return ndarray(~self.values)


def _operator(name: str) -> Any:
    def call(self: ndarray, other: Any) -> Any:
        refuse_while_capturing(name)
        return wrapped(getattr(self.values, name)(plain(other)))

    return call


for _name in OPERATORS:
    for _form in (f"__{_name}__", f"__r{_name}__", f"__i{_name}__"):
        if hasattr(np.ndarray, _form):
            setattr(ndarray, _form, _operator(_form))


def plain(value: Any) -> Any:
    """Return what NumPy understands; refuse its own arrays."""
    if isinstance(value, ndarray):
        return value.values
    if isinstance(value, np.ndarray):
        raise TypeError("unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, tuple | list):
        return type(value)(plain(one) for one in value)
    return value


def wrapped(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(np.asarray(value))
    if isinstance(value, tuple) and not all(isinstance(one, int) for one in value):
        return tuple(wrapped(one) for one in value)
    return value


def on_device(function: Any, name: str) -> Any:
    """Return a function of NumPy as one of CuPy."""

    def call(*given: Any, **named: Any) -> Any:
        if name not in VIEWS:
            refuse_while_capturing(name)
        found = function(*plain(given), **{key: plain(one) for key, one in named.items()})
        return wrapped(found)

    return call


SHIM = """
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ucontext.h>
#define __global__
#define __device__ static
#define __shared__ static
#define __noinline__
#define __launch_bounds__(threads)
using std::min;
struct Index { int x, y, z; };
static Index blockIdx, gridDim, blockDim, threadIdx;
static ucontext_t host, fibres[THREADS];
static char stacks[THREADS][1 << 15];
static bool ended[THREADS];
static void** given;
static void __syncthreads() {
    const int self = threadIdx.x;
    swapcontext(&fibres[self], &host);
    threadIdx.x = self;
}
"""

DRIVER = """
static void run_thread() {{
    {name}({arguments});
    ended[threadIdx.x] = true;
}}
extern "C" void launch(int columns, int rows, int layers, void** arguments) {{
    given = arguments;
    gridDim = {{columns, rows, layers}};
    blockDim = {{THREADS, 1, 1}};
    for (int block = 0; block < columns * rows * layers; ++block) {{
        blockIdx = {{block % columns, block / columns % rows, block / columns / rows}};
        for (int t = 0; t < THREADS; ++t) {{
            getcontext(&fibres[t]);
            fibres[t].uc_stack.ss_sp = stacks[t];
            fibres[t].uc_stack.ss_size = sizeof stacks[t];
            fibres[t].uc_link = &host;
            makecontext(&fibres[t], run_thread, 0);
            ended[t] = false;
        }}
        for (bool running = true; running;) {{
            running = false;
            for (int turn = 0; turn < THREADS; ++turn) {{
                const int t = block % 2 ? THREADS - 1 - turn : turn;
                if (ended[t]) continue;
                threadIdx.x = t;
                swapcontext(&host, &fibres[t]);
                running = running || !ended[t];
            }}
        }}
    }}
}}
"""

TYPES = {"float": np.float32, "double": np.float64, "int": np.int32}


class RawKernel:
    """A kernel of CUDA source, executed on the CPU."""

    def __init__(self, code: str, name: str, options: tuple[str, ...] = ()) -> None:
        (parameters,) = re.findall(rf"__global__ void (?:\w+\(\w+\) )?{name}\(([^)]*)\)", code)
        self.types = [re.sub(r"\s*\w+$", "", one.strip()) for one in parameters.split(",")]
        arguments = ", ".join(f"*({one}*)given[{n}]" for n, one in enumerate(self.types))
        folder = Path(tempfile.mkdtemp(prefix="kernel"))
        source, library = folder / "kernel.cpp", folder / "kernel.so"
        source.write_text(SHIM + code + DRIVER.format(name=name, arguments=arguments))
        command = [
            "g++",
            "-O2",
            "-w",
            "-shared",
            "-fPIC",
            *options,
            str(source),
            "-o",
            str(library),
        ]
        subprocess.run(command, check=True)
        self.kernels = ctypes.CDLL(str(library))
        shutil.rmtree(folder)

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], given: tuple[Any, ...]
    ) -> None:
        assert min(grid) > 0 and len(given) == len(self.types)
        kept = [self._argument(kind, one) for kind, one in zip(self.types, given, strict=True)]
        pointers = (ctypes.c_void_p * len(kept))(*(one.ctypes.data for one in kept))
        memory = [weakref.ref(owner(one.values)) for one in given if isinstance(one, ndarray)]

        def launch(_pointed_at: list[np.ndarray] = kept) -> None:
            assert all(one() is not None for one in memory), "memory of a launch was freed"
            self.kernels.launch(*(*grid, 1, 1)[:3], pointers)

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
    return values if values.base is None else owner(values.base)


def asarray(values: Any, dtype: Any = None) -> ndarray:
    refuse_while_capturing("asarray")
    return ndarray(np.array(values.values if isinstance(values, ndarray) else values, dtype))


def make() -> ModuleType:
    """Return the module."""
    module: Any = ModuleType("cupy")
    for name in FUNCTIONS:
        setattr(module, name, on_device(getattr(np, name), name))
    for name in ("float32", "float64", "inf", "finfo", "promote_types"):
        setattr(module, name, getattr(np, name))
    solvers = ("eigh", "inv", "norm", "qr")
    linear = {name: on_device(getattr(np.linalg, name), name) for name in solvers}
    module.linalg = SimpleNamespace(**linear)
    module.cuda = SimpleNamespace(
        Device=lambda: SimpleNamespace(id=0),
        Stream=Stream,
        get_current_stream=current_stream,
        runtime=SimpleNamespace(CUDARuntimeError=CUDARuntimeError),
    )
    module.asarray = module.array = asarray
    module.ndarray, module.RawKernel = ndarray, RawKernel
    return module
