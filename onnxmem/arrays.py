"""The array namespace: the only module that imports CuPy.

Everybody else receives arrays and asks here which library they belong to, so the very code
that the tests run with NumPy runs with CuPy on a GPU.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import numpy as np
import psutil

from onnxmem.errors import DeviceError

_LIMITS = ("RLIMIT_AS", "RLIMIT_DATA")
"""Limits of a process on the memory that it may take, -1 for none."""

Array = Any
"""A NumPy or CuPy array; neither library types the operations that both share."""


def is_cupy(array: Array) -> bool:
    """Tell whether `array` lives on a CUDA device, without importing CuPy."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(array, cupy.ndarray)


def namespace(array: Array) -> ModuleType:
    """Return the library that `array` belongs to: `numpy` or `cupy`."""
    return sys.modules["cupy"] if is_cupy(array) else np


def to_host(array: Array) -> np.ndarray:
    """Return `array` in host memory, without a copy where it is there already."""
    return array.get() if is_cupy(array) else np.asarray(array)


def take_rows(array: Array, rows: np.ndarray) -> Array:
    """Return the entries `rows` (host integers) along the first axis."""
    return array[namespace(array).asarray(rows)]


def load_cupy() -> ModuleType:
    """Import CuPy.

    Raises:
        DeviceError: CuPy is not installed or cannot load its CUDA libraries.
    """
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            f"CuPy cannot be imported ({error}); install it with: pip install 'cupy-cuda13x[ctk]'"
        ) from error
    module: ModuleType = cupy
    return module


_PARTNERS: ContextVar[int] = ContextVar("partners", default=1)


@contextmanager
def sharing(partners: int | None) -> Iterator[None]:
    """Take a share of this machine's cores and memory alone: one of `partners`, None: one core."""
    token = _PARTNERS.set(len(cores()) if partners is None else partners)
    try:
        yield
    finally:
        _PARTNERS.reset(token)


def cores() -> Sequence[int]:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


def own_cores() -> int:
    """Return how many cores there are for what runs here; see `sharing`."""
    return max(1, len(cores()) // _PARTNERS.get())


def free_memory(on_device: bool) -> int:
    """Return how many bytes are free, on the current CUDA device or on the host; see `sharing`."""
    return _free(on_device) // _PARTNERS.get()


def _free(on_device: bool) -> int:
    if on_device:
        return int(load_cupy().cuda.Device().mem_info[0])
    available = int(psutil.virtual_memory().available)
    if not hasattr(psutil, "RLIMIT_AS"):
        return available
    limits = (psutil.Process().rlimit(getattr(psutil, name))[0] for name in _LIMITS)
    return int(min([available, *(limit for limit in limits if limit >= 0)]))


def resident_memory() -> int:
    """Return how many bytes of host memory this process holds."""
    return int(psutil.Process().memory_info().rss)
