"""Reads a `.npz` archive of named arrays. Nothing in it is ever unpickled."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy_format

from onnxmem.data.budget import UNBOUNDED, Budget
from onnxmem.data.files import UNREADABLE, damaged
from onnxmem.errors import DataError, OnnxmemError

MAGIC = b"PK\x03\x04"

_ENDING = ".npy"


def load(path: Path, budget: Budget = UNBOUNDED) -> dict[str, np.ndarray]:
    """Return every array of the archive by name.

    What an array takes is known from its header, before any of it is read.

    Raises:
        DataError: it is no `.npz`, or an array in it cannot be read without unpickling.
        OutOfMemoryError: all together are larger than the budget.
    """
    arrays: dict[str, np.ndarray] = {}
    where = str(path)
    try:
        with ZipFile(path) as archive:
            members = {info.filename.removesuffix(_ENDING): info for info in archive.infolist()}
            total = 0
            for name, info in members.items():
                where = f"array {name!r} of {path}"
                with archive.open(info) as stream:
                    total += _bytes_of(stream, info, name, path)
                budget.require(total, where if len(members) == 1 else f"what {path} holds")
            for name, info in members.items():
                where = f"array {name!r} of {path}"
                with archive.open(info) as stream:
                    arrays[name] = npy_format.read_array(stream, allow_pickle=False)
    except UNREADABLE as error:
        if isinstance(error, OnnxmemError):
            raise
        raise damaged(where, error) from error
    except MemoryError as error:
        raise DataError(f"{where} does not fit into memory") from error
    return arrays


def _bytes_of(stream: IO[bytes], info: ZipInfo, name: str, path: Path) -> int:
    """Return how large the array of an entry says it is.

    Raises:
        DataError: it is no array of numbers or text, or of another size than the entry.
    """
    start = stream.read(len(npy_format.MAGIC_PREFIX) + 2)
    if not start.startswith(npy_format.MAGIC_PREFIX):
        raise DataError(f"{path} holds {name!r}, which is no NumPy array")
    shape, dtype = _header(stream, start[-2:])
    if dtype.hasobject:
        raise DataError(
            f"array {name!r} of {path} holds Python objects, which are never unpickled; "
            "save plain numbers"
        )
    size = math.prod(shape) * dtype.itemsize
    held = info.file_size - stream.tell()
    if size > held:
        raise ValueError(f"it says that it has {size} bytes, and has {held}")
    return size


def _header(stream: IO[bytes], version: bytes) -> tuple[tuple[int, ...], np.dtype]:
    """Return the shape and the type that the header of a `.npy` file tells, after its version."""
    read = npy_format.read_array_header_1_0 if version[0] == 1 else npy_format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if any(size < 0 for size in shape):
        raise ValueError(f"it has the shape {shape}")
    return shape, dtype
