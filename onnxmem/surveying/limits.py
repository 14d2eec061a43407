"""How much memory and processor time a child may take, and which GPU."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from onnxmem.arrays import free_memory

_BASE = 2 * 2**30
"""Bytes that a child may take besides its activations: libraries, weights, data."""

_GRACE = 60
"""Seconds of processor time beyond the wall clock's, so that this one ends a child first."""

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_DRIVER = Path("/proc/driver/nvidia/gpus")


def data_limit(memory: int | None, workers: int) -> int:
    """Return how many bytes of data a child may hold.

    Twice what activations may take and 2 GiB more, else a worker's share of what is free.
    """
    if memory is not None:
        return 2 * memory + _BASE
    return max(_BASE, free_memory(on_device=False) // workers)


def set_limits(data: int, seconds: float | None) -> None:
    """Limit this process: `RLIMIT_DATA`, and of processor time what the wall clock allows.

    Not `RLIMIT_AS`, which kills the JavaScript engine that draws pictures.
    """
    if resource is None:
        return
    _lower(resource.RLIMIT_DATA, data)
    _lower(resource.RLIMIT_CORE, 0)
    if seconds is not None:
        _lower(resource.RLIMIT_CPU, int(seconds * (os.cpu_count() or 1)) + _GRACE)


def _lower(which: int, value: int) -> None:
    """Set a limit, unless a lower one is in force."""
    soft, hard = resource.getrlimit(which)
    known = [one for one in (soft, hard, value) if one != resource.RLIM_INFINITY]
    resource.setrlimit(which, (min(known), hard))


def gpus() -> list[str]:
    """Return the GPUs that a child may be pinned to; no library is asked."""
    if _VISIBLE in os.environ:
        return [one.strip() for one in os.environ[_VISIBLE].split(",") if one.strip()]
    try:
        return [str(number) for number in range(len(list(_DRIVER.iterdir())))]
    except OSError:
        return []


def pinned(gpu: str) -> dict[str, str]:
    """Return the environment of a child that sees one GPU alone, or what there is."""
    return {_VISIBLE: gpu} if gpu else {}
