"""Reads files; an error says in one line what keeps a file from being read and what to do."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

from onnxmem.errors import DataError
from onnxmem.file_kinds import mistaken

_START = 512
"""Bytes that tell what a file is."""

_LONGEST_TEXT = 1 << 26
"""Bytes of the longest file of text that is read: names of classes, a configuration."""

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
        DataError: it is missing, a folder, a pipe or a device, not readable, empty, or surely
            something else.
    """
    if path.exists() and not path.is_dir():
        require_regular(path, what)
    return _read(path, what, _START)


def require_regular(path: Path, what: str) -> None:
    """Check that a file is no pipe, socket or device, of which a look alone may never end.

    Raises:
        DataError: it is.
    """
    if not path.is_file():
        raise DataError(
            f"cannot read the {what} {path}: it is a pipe, a socket or a device; give a file"
        )


def regular_files(paths: Iterable[Path], what: str) -> list[Path]:
    """Return the files of a folder in the order of their names.

    Raises:
        DataError: one of them is no regular file.
    """
    found = sorted(paths)
    for path in found:
        require_regular(path, what)
    return found


def read_text(path: Path, what: str) -> str:
    """Return a file of text.

    Raises:
        DataError: as `begin`, or it is no UTF-8.
    """
    try:
        content = _read(path, what, _LONGEST_TEXT)
        if len(content) == _LONGEST_TEXT:
            raise DataError(f"the {what} {path} is too long to be one; give another file")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the {what} {path} is no text in UTF-8; save it as such") from error


def _read(path: Path, what: str, size: int) -> bytes:
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
