"""How functions are compiled, and where the results are kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba

_LIBERTIES = {"contract", "nsz"}
_OPTIONS = {"nogil": True, "error_model": "numpy"}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile `function` at its first call, and keep the result where there is a place for it.

    Once for a machine: next to its file or, where that is read-only, in the user's cache.
    """
    return _compiled(function, _LIBERTIES)


def reordered(function: Callable[..., Any]) -> Any:
    """Compile `function` likewise, with sums in an order that the processor is fast at."""
    return _compiled(function, _LIBERTIES | {"reassoc"})


def inlined(function: Callable[..., Any]) -> Any:
    """Compile `function` into those that call it, so that two arguments may be one array."""
    return numba.njit(inline="always", fastmath=_LIBERTIES, **_OPTIONS)(function)


def _remove_stale(folder: Path) -> None:
    """Remove what was compiled before the newest module of a folder.

    Numba compiles a function again when its own file changes, but not when one does that it calls.
    """
    newest = max((path.stat().st_mtime for path in folder.glob("*.py")), default=0.0)
    for kept in (folder / "__pycache__").glob("*.nb[ic]"):
        with suppress(OSError):  # another process was faster, or the folder is read-only
            if kept.stat().st_mtime < newest:
                kept.unlink()


_remove_stale(Path(__file__).parent)


def _compiled(function: Callable[..., Any], liberties: set[str]) -> Any:
    try:
        return numba.njit(cache=True, fastmath=liberties, **_OPTIONS)(function)
    except RuntimeError:  # neither place can be written
        return numba.njit(fastmath=liberties, **_OPTIONS)(function)
