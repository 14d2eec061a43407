"""Where workers and the one who waits for them meet: the cache, and samples that had no file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from onnxmem.auditing.evidence import HeldOutSource
from onnxmem.cache import Store
from onnxmem.cache.place import DEFAULT_LIMIT
from onnxmem.cache.scratch import scratch_folder
from onnxmem.data import Column
from onnxmem.data.columns import whole
from onnxmem.errors import OutputError, UsageError
from onnxmem.spreading.job import Reading, anywhere


@contextmanager
def meeting_place(store: Store, *, wanted: bool) -> Iterator[Store]:
    """Give the cache, or a temporary one where nothing shall be kept but workers need one."""
    if store.limit or not wanted:
        yield store
        return
    with scratch_folder() as folder:
        yield Store(folder / "cache", DEFAULT_LIMIT)


@contextmanager
def spooled(
    data: str | None,
    arrays: Mapping[str, Column],
    held_out: str | Path | None,
    others: HeldOutSource,
    cache: Path,
) -> Iterator[Reading]:
    """Tell how workers read samples that a caller gave; those in memory lie in files meanwhile.

    Args:
        data: the path that was given, None for arrays.
        arrays: the samples.
        held_out: the path of held-out samples, if one was given.
        others: the held-out samples.
        cache: the folder where results meet, which workers see.

    Raises:
        UsageError: a column holds Python objects.
        OutputError: a file cannot be written.
    """
    folder = cache / f".samples-{os.urandom(8).hex()}"
    try:
        path = anywhere(data) if data is not None else _spool(arrays, folder / "data.npz")
        other = None
        if held_out is not None:
            other = anywhere(str(held_out))
        elif others.arrays is not None:
            other = _spool(others.arrays, folder / "held-out.npz")
        yield Reading(path, held_out=other, splits=others.splits)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _spool(columns: Mapping[str, Column], path: Path) -> str:
    """Write columns to a file that `onnxmem.data.load` reads as they were; return its path."""
    arrays = {name: whole(column) for name, column in columns.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise UsageError(
                f"{name!r} holds Python objects, which are sent to no worker; give plain numbers "
                "or text, or the path of the data"
            )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("wb") as stream:
            np.savez(stream, **arrays)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return str(path)
