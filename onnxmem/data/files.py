"""Reads files; an error says in one line what keeps a file from being read and what to do."""

from __future__ import annotations

import lzma
import struct
import zlib
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

from onnxmem.errors import DataError
from onnxmem.file_kinds import mistaken

_START = 512
"""Bytes that tell what a file is."""

UNREADABLE = (
    ArithmeticError, BadZipFile, EOFError, LookupError, OSError, RuntimeError, TokenError,
    TypeError, ValueError, lzma.LZMAError, struct.error, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise for content that makes no sense, or is of no kind they know."""

_CONVERT = "save it in a format that is read (see docs/data.md)"


def begin(path: Path, what: str) -> bytes:
    """Return the first bytes of a file.

    Args:
        path: the file.
        what: it should be, for messages.

    Raises:
        DataError: it is missing, a folder, not readable, empty, or surely something else.
    """
    return _read(path, what, _START)


def read_text(path: Path, what: str) -> str:
    """Return a file of text.

    Raises:
        DataError: as `begin`, or it is no UTF-8.
    """
    try:
        return _read(path, what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the {what} {path} is no text in UTF-8; save it as such") from error


def _read(path: Path, what: str, size: int = -1) -> bytes:
    if path.is_dir():
        raise DataError(f"cannot read the {what} {path}: it is a folder; give the file")
    try:
        with path.open("rb") as stream:
            content = stream.read(size)
    except FileNotFoundError as error:
        raise DataError(f"no such {what}: {path}; check the path") from error
    except OSError as error:
        raise DataError(
            f"cannot read the {what} {path}: {error.strerror or error}; check the path"
        ) from error
    if not content:
        raise DataError(f"the {what} {path} is empty; write or download it again")
    if words := mistaken(content, f"the {what}", _CONVERT):
        raise DataError(f"{path} {words}")
    return content


def damaged(where: object, cause: object) -> DataError:
    """Return the error for a file that ends too early, or whose content makes no sense."""
    text = " ".join(str(cause).split()).rstrip(".")
    return DataError(f"{where} is truncated or damaged ({text}); write or download it again")
