"""How much memory and processor time a process may take, by limits of the system."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_BASE = 2 * 2**30
"""Bytes that a process may take besides its activations: libraries, weights, data."""

_COPIES = 6
"""Of the bytes of models and data."""

_FOR_CUDA = 16 * 2**30
"""Bytes more where there is a GPU: its driver maps memory that nobody touches."""

_GRACE = 60
"""Seconds of processor time beyond the wall clock's, so that this one ends a process first."""

_DRIVER = Path("/proc/driver/nvidia")


def data_limit(memory: int | None, workers: int = 1, files: int = 0) -> int:
    """Return how many bytes of data a process may hold.

    Twice what activations may take, 2 GiB more, and six times the bytes of `files`, since weights
    are there as parsed, as cut, and as each session packs them; else a worker's share of what is
    free.
    """
    base = _BASE + (_FOR_CUDA if _DRIVER.exists() else 0)
    if memory is not None:
        return 2 * memory + base + _COPIES * files
    from onnxmem.arrays import free_memory

    return max(base, free_memory(on_device=False) // workers)


def set_limits(data: int, seconds: float | None) -> tuple[str, ...]:
    """Limit this process: `RLIMIT_DATA`, no core files, and processor time where `seconds` are.

    Not `RLIMIT_AS`, which kills the JavaScript engine that draws pictures.

    Args:
        data: bytes that it may hold.
        seconds: of the wall clock; it may take as many on every processor, and a minute.

    Returns:
        The names of the limits that are in force.
    """
    if resource is None:
        return ()
    wanted = [("core", resource.RLIMIT_CORE, 0), ("data", resource.RLIMIT_DATA, data)]
    if seconds is not None:
        allowed = int(min(seconds, 1e9) * (os.cpu_count() or 1)) + _GRACE
        wanted.append(("cpu", resource.RLIMIT_CPU, allowed))
    return tuple(name for name, which, value in wanted if _lower(which, value))


def _lower(which: int, value: int) -> bool:
    """Set a limit, unless a lower one is in force; tell whether one is."""
    soft, hard = resource.getrlimit(which)
    known = [one for one in (soft, hard, value) if one != resource.RLIM_INFINITY]
    try:
        resource.setrlimit(which, (min(known), hard))
    except (OSError, ValueError):
        return soft != resource.RLIM_INFINITY
    return True
