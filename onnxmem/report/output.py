"""Writing results: whole or not at all, to a file or to stdout."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from pathlib import Path

from onnxmem.errors import OutputError
from onnxmem.text import printable

STDOUT = "-"


def write(text: str | bytes, path: str | Path) -> None:
    """Write `text` to `path`; `-` is stdout.

    A file appears whole or not at all: a temporary file beside it takes its name at the end, so
    a failure leaves an older file as it was. Pipes and devices are written to directly.

    Raises:
        OutputError: it cannot be written; the message names the path and the cause.
    """
    content = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
    try:
        if str(path) == STDOUT:
            _to_stdout(content)
        else:
            _to_path(content, _followed(Path(path)))
    except (OSError, ValueError) as error:
        raise _failure(path, error) from error


def check_writable(path: str | Path) -> None:
    """Check before a long run that `path` can be written afterwards, and leave nothing behind.

    Raises:
        OutputError: it cannot; the message names the path and the cause.
    """
    if str(path) == STDOUT:
        return
    try:
        target = _followed(Path(path))
        if _is_special(target):  # opening a pipe would tell its reader that all is over
            if not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        else:
            temporary, descriptor = _open_beside(target)
            os.close(descriptor)
            temporary.unlink()
    except (OSError, ValueError) as error:
        raise _failure(path, error) from error


def _failure(path: str | Path, error: Exception) -> OutputError:
    name = "stdout" if str(path) == STDOUT else printable(str(path), 200)
    cause = (error.strerror if isinstance(error, OSError) else None) or printable(str(error), 200)
    return OutputError(f"cannot write {name}: {cause}")


def _to_stdout(content: bytes) -> None:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed")
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(content.decode("utf-8"))
    else:
        sys.stdout.flush()
        binary.write(content)
    sys.stdout.flush()


def _to_path(content: bytes, target: Path) -> None:
    if _is_special(target):
        with open(target, "wb") as stream:
            stream.write(content)
        return
    temporary, descriptor = _open_beside(target)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _followed(path: Path) -> Path:
    """Return where links lead to, but a pipe or device as it was named: it may have no other."""
    return path if _is_special(path) else Path(os.path.realpath(path))


def _is_special(target: Path) -> bool:
    """Tell whether something stands there that must not be replaced: a pipe or a device."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(None, "it is a folder")
    return not stat.S_ISREG(mode)


def _open_beside(target: Path) -> tuple[Path, int]:
    """Create an empty file in the folder of `target`, with the rights `target` has or would get."""
    temporary = target.parent / f".onnxmem-{secrets.token_hex(8)}.tmp"
    rights = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    descriptor = os.open(
        temporary,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0),
        0o666,
    )
    if rights is not None:
        os.chmod(temporary, rights)
    return temporary, descriptor
