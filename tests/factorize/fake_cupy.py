"""A CuPy that needs no GPU: arrays that NumPy cannot touch, and kernels that the CPU executes.

What CuPy refuses is refused here: arrays of NumPy among its own, NumPy's functions on its arrays.
A `RawKernel` is compiled by g++ behind a few lines that give CUDA's names a meaning: the blocks of
a grid run one after the other, the threads of a block as fibres that change at each barrier.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

FUNCTIONS = [
    *("abs", "all", "any", "ascontiguousarray", "broadcast_to", "concatenate", "empty_like"),
    *("eye", "full", "isfinite", "maximum", "minimum", "ones", "sqrt", "stack", "tile"),
    *("trace", "vdot", "where", "zeros"),
]
OPERATORS = ["add", "sub", "mul", "truediv", "pow", "matmul", "and", "or"]
OPERATORS += ["lt", "le", "gt", "ge", "eq", "ne"]


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
        return on_device(found) if callable(found) else wrapped(found)

    def get(self) -> np.ndarray:
        return self.values.copy()

    def setflags(self, **flags: bool) -> None:
        raise AttributeError("setflags")

    def __getitem__(self, key: Any) -> Any:
        return wrapped(self.values[plain(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.values[plain(key)] = plain(value)

    def __iter__(self) -> Any:
        return (wrapped(np.asarray(value)) for value in self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        return bool(self.values)

    def __float__(self) -> float:
        return float(self.values)

    def __int__(self) -> int:
        return int(self.values)

    def __neg__(self) -> ndarray:
        return ndarray(-self.values)

    def __invert__(self) -> ndarray:
        return ndarray(~self.values)


def _operator(name: str) -> Any:
    return lambda self, other: wrapped(getattr(self.values, name)(plain(other)))


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


def on_device(function: Any) -> Any:
    """Return a function of NumPy as one of CuPy."""

    def call(*given: Any, **named: Any) -> Any:
        found = function(*plain(given), **{name: plain(one) for name, one in named.items()})
        return wrapped(found)

    return call


SHIM = """
#include <cmath>
#include <cstddef>
#include <ucontext.h>
#define __global__
#define __device__ static
#define __shared__ static
struct Index { int x, y; };
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
extern "C" void launch(int columns, int rows, void** arguments) {{
    given = arguments;
    gridDim = {{columns, rows}};
    blockDim = {{THREADS, 1}};
    for (int block = 0; block < columns * rows; ++block) {{
        blockIdx = {{block % columns, block / columns}};
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
            for (int t = 0; t < THREADS; ++t) {{
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
        (parameters,) = re.findall(rf"__global__ void {name}\(([^)]*)\)", code)
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
        columns, rows = (*grid, 1)[:2]
        assert min(grid) > 0 and len(given) == len(self.types)
        kept = [self._argument(kind, one) for kind, one in zip(self.types, given, strict=True)]
        pointers = (ctypes.c_void_p * len(kept))(*(one.ctypes.data for one in kept))
        self.kernels.launch(columns, rows, pointers)

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


def asarray(values: Any, dtype: Any = None) -> ndarray:
    return ndarray(np.array(values.values if isinstance(values, ndarray) else values, dtype))


def make() -> ModuleType:
    """Return the module."""
    module: Any = ModuleType("cupy")
    for name in FUNCTIONS:
        setattr(module, name, on_device(getattr(np, name)))
    for name in ("float32", "float64", "inf", "finfo", "promote_types"):
        setattr(module, name, getattr(np, name))
    linear = {name: on_device(getattr(np.linalg, name)) for name in ("eigh", "inv", "norm", "qr")}
    module.linalg = SimpleNamespace(**linear)
    module.asarray = module.array = asarray
    module.ndarray, module.RawKernel = ndarray, RawKernel
    return module
