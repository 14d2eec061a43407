"""Launches on a CUDA device, recorded once and repeated as one: CUDA graphs.

A graph is recorded on a stream of its own and launched on the current one, so that it waits for
what came before it there, and what comes after it waits for it. CuPy records its own kernels, but
neither products (it refuses cuBLAS while a stream captures) nor anything that waits for the device;
memory that is allocated while recording would not belong to the graph.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

_refusals: list[str] = []
"""Why recording failed in this process: one is enough not to try again."""


def record(xp: ModuleType, launches: Callable[[], None]) -> Any | None:
    """Return the graph of the kernels that `launches` launches, none of which runs.

    Each of them must have run before, for a kernel is loaded at its first launch.

    Returns:
        A `cupy.cuda.Graph`, or None where CuPy or the driver cannot record.
    """
    if _refusals:
        return None
    try:
        return _recorded(_stream(xp, xp.cuda.Device().id, threading.get_ident()), launches)
    except (AttributeError, RuntimeError) as error:  # CUDA's errors are RuntimeErrors
        _refusals.append(str(error))
        return None


def _recorded(stream: Any, launches: Callable[[], None]) -> Any:
    with stream:
        stream.begin_capture()
        try:
            launches()
        except BaseException:
            with contextlib.suppress(RuntimeError):
                stream.end_capture()
            raise
        return stream.end_capture()


@cache
def _stream(xp: ModuleType, device: int, thread: int) -> Any:
    """Return the stream on which this thread records on this device: nothing else runs there."""
    return xp.cuda.Stream(non_blocking=True)
