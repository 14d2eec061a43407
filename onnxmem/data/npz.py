"""Reads a `.npz` archive of named arrays. Nothing in it is ever unpickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onnxmem.data.files import UNREADABLE, damaged
from onnxmem.errors import DataError

MAGIC = b"PK\x03\x04"


def load(path: Path) -> dict[str, np.ndarray]:
    """Return every array of the archive by name.

    Raises:
        DataError: it is no `.npz`, or an array in it cannot be read without unpickling.
    """
    arrays: dict[str, np.ndarray] = {}
    name = ""
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                array = archive[name]
                if not isinstance(array, np.ndarray):
                    raise DataError(f"{path} holds {name!r}, which is no NumPy array")
                arrays[name] = array
    except UNREADABLE as error:
        if isinstance(error, DataError):
            raise
        where = f"array {name!r} of {path}" if name else str(path)
        if "allow_pickle" in str(error) or "pickle" in str(error).lower():
            raise DataError(
                f"{where} holds Python objects, which are never unpickled; save plain numbers"
            ) from error
        raise damaged(where, error) from error
    except MemoryError as error:
        raise DataError(f"array {name!r} of {path} does not fit into memory") from error
    return arrays
