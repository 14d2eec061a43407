"""Where models run: the CPU or a CUDA device, and the stream that two libraries share there."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from onnxmem.arrays import load_cupy

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True, slots=True)
class Device:
    """Where sessions run, and why there.

    `index` counts CUDA devices and is 0 on the CPU.
    """

    provider: str
    index: int
    reason: str

    @property
    def is_cuda(self) -> bool:
        """Whether arrays live on a CUDA device."""
        return self.provider == CUDA

    @property
    def name(self) -> str:
        """The name that `--device` takes: `cpu` or `cuda:N`."""
        return f"cuda:{self.index}" if self.is_cuda else "cpu"

    @property
    def namespace(self) -> ModuleType:
        """The array library of this device."""
        return load_cupy() if self.is_cuda else np

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Make this device, and the stream that it shares with onnxruntime, current."""
        if not self.is_cuda:
            yield
            return
        with load_cupy().cuda.Device(self.index), shared_stream(self.index):
            yield


@functools.cache
def shared_stream(index: int) -> Any:
    """Return the stream of a device that onnxruntime and CuPy both use."""
    cupy = load_cupy()
    with cupy.cuda.Device(index):
        return cupy.cuda.Stream(non_blocking=True)
