"""Where workers and the one who waits for them meet: the cache, and samples that had no file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from numpy.lib.format import write_array

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


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller gave for samples, and for held-out ones; only paths are of interest."""

    samples: Any
    held_out: Any


@contextmanager
def spooled(
    given: Given, arrays: Mapping[str, Column], held_out: HeldOutSource, store: Store
) -> Iterator[Reading]:
    """Tell how workers read samples that a caller gave; those in memory lie in files meanwhile.

    Args:
        given: paths, if they are any.
        arrays: the samples.
        held_out: those that the network was not trained on.
        store: where results meet, and the files lie.

    Raises:
        UsageError: a column holds Python objects.
        OutputError: a file cannot be written.
    """
    folder = store.folder / f".samples-{os.urandom(8).hex()}"
    try:
        path = _path(given.samples) or _spool(arrays, folder / "data.npz")
        other = None
        if held_out.arrays is not None:
            other = _path(given.held_out) or _spool(held_out.arrays, folder / "held-out.npz")
        yield Reading(path, held_out=other, splits=held_out.splits)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _path(given: Any) -> str | None:
    return anywhere(str(given)) if isinstance(given, (str, Path)) else None


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
        with ZipFile(path, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    write_array(stream, array, allow_pickle=False)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return str(path)
