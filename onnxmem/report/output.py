"""Writing results: whole and together or not at all, to files or to stdout."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from onnxmem.cache.scratch import unfinished_name
from onnxmem.errors import OutputError
from onnxmem.text import printable

STDOUT = "-"


def write(text: str | bytes, path: str | Path) -> None:
    """Write `text` to `path`; `-` is stdout.

    Raises:
        OutputError: see `write_all`.
    """
    write_all({str(path): text})


def write_all(texts: Mapping[str, str | bytes]) -> None:
    """Write a text to each path; `-` is stdout.

    Files appear whole and together, or none of them: temporary files beside them take their names
    at the end, so a failure leaves older files as they were. Pipes and devices are written to
    directly, before that.

    Raises:
        OutputError: one cannot be written; the message names the path and the cause.
    """
    staged: list[tuple[str, Path, Path]] = []
    try:
        for path, text in sorted(texts.items(), key=lambda item: _is_direct(item[0])):
            content = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
            with _blaming(path):
                if _is_direct(path):
                    _send(content, path)
                else:
                    target = Path(os.path.realpath(path))
                    temporary, descriptor = _open_beside(target)
                    staged.append((path, temporary, target))
                    _fill(descriptor, content)
        for path, temporary, target in staged:
            with _blaming(path):
                os.replace(temporary, target)
    finally:
        for _, temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Check before a long run that `path` can be written afterwards, and leave nothing behind.

    Raises:
        OutputError: it cannot; the message names the path and the cause.
    """
    if str(path) == STDOUT:
        return
    with _blaming(path):
        if _is_direct(path):  # opening a pipe would tell its reader that all is over
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        else:
            temporary, descriptor = _open_beside(Path(os.path.realpath(path)))
            os.close(descriptor)
            temporary.unlink()


@contextmanager
def _blaming(path: str | Path) -> Iterator[None]:
    """Let errors name the path that they are about."""
    try:
        yield
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        name = "stdout" if str(path) == STDOUT else printable(str(path), 200)
        system = error.strerror if isinstance(error, OSError) else None
        cause = system or printable(str(error), 200)
        raise OutputError(f"cannot write {name}: {cause}") from error


def _send(content: bytes, path: str) -> None:
    """Write to stdout, or to a pipe or device."""
    if path == STDOUT:
        _to_stdout(content)
    else:
        Path(path).write_bytes(content)


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


def _fill(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _is_direct(path: str | Path) -> bool:
    """Tell whether `path` is stdout, or something that must not be replaced: a pipe or a device."""
    if str(path) == STDOUT:
        return True
    with _blaming(path):
        try:
            mode = Path(path).stat().st_mode
        except FileNotFoundError:
            return False
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(None, "it is a folder")
        return not stat.S_ISREG(mode)


def _open_beside(target: Path) -> tuple[Path, int]:
    """Create an empty file in the folder of `target`, with the rights `target` has or would get."""
    temporary = target.parent / f"{unfinished_name()}.tmp"
    older = target.stat() if target.exists() else None
    if older is not None:
        _check_replaceable(older, target.parent.stat())
    descriptor = os.open(
        temporary,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0),
        0o666,
    )
    if older is not None:
        os.chmod(temporary, stat.S_IMODE(older.st_mode))
    return temporary, descriptor


def _check_replaceable(file: os.stat_result, folder: os.stat_result) -> None:
    """Check that a file is ours where its folder is sticky: files of others stay in such ones.

    Raises:
        PermissionError: it is not.
    """
    sticky = folder.st_mode & stat.S_ISVTX
    if sticky and os.geteuid() not in (0, folder.st_uid, file.st_uid):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
