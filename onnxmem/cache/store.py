"""Bytes in a folder, one file for each key, the least recently used going first.

A store raises no errors while results are looked up or kept: if something is wrong with its folder
or with a file in it, a look-up finds nothing, and a write notes the cause in `trouble`. Several
processes may use one folder at once without waiting, since files appear whole under their name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MAGIC = b"onnxmem cache 1\n"
_HEAD = len(_MAGIC) + hashlib.sha256().digest_size
_NAME = re.compile(r"[0-9a-f]{64}\.result")
_UNFINISHED = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{16}\.tmp")
_ABANDONED = 3600
"""Seconds after which a temporary file belongs to a process that was killed."""


_SPARE = 16
"""Of the limit, one part of so many is left free when it was reached."""
_FEW = 256
"""Files that are looked at in no time."""
_WRITERS = 8
"""Processes that may write at once without more in the folder than the limit."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    used: int


@dataclass(slots=True)
class Store:
    """A folder of results.

    Attributes:
        folder: where the files lie; it is made, for its owner alone, by the first write.
        limit: bytes that all files may take together; 0 turns the store off.
        trouble: why nothing is kept, empty while all is well.
    """

    folder: Path
    limit: int
    trouble: str = ""
    _unseen: int = field(default=0, init=False, repr=False, compare=False)
    """Bytes that may still be written before all files are looked at again."""

    def get(self, key: str) -> bytes | None:
        """Return what was put under `key`, 64 hexadecimal digits; None where there is nothing.

        A file that is not what `put` wrote is removed.
        """
        if not self.limit:
            return None
        path = self._path(key)
        try:
            text = _read(path, self.limit)
        except OSError:
            return None
        content = text[_HEAD:]
        if text[:_HEAD] != _head(key, content):
            self.drop(key)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, and remove what was not used for longest."""
        if self.trouble or _HEAD + len(content) > self.limit:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._path(key), _head(key, content) + content)
            self._unseen -= _HEAD + len(content)
            if self._unseen < 0:
                self._shrink()
        except OSError as error:
            self.trouble = f"cannot keep results in {self.folder}: {error.strerror or error}"

    def drop(self, key: str) -> None:
        """Remove what lies under `key`, if anything does."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def usage(self) -> tuple[int, int]:
        """Return the number of results, and the bytes that they take."""
        files = list(_files(self.folder, _NAME))
        return len(files), sum(file.size for file in files)

    def clear(self) -> int:
        """Remove all results, and nothing else that may lie in the folder; return their number.

        Raises:
            OSError: one cannot be removed.
        """
        count = 0
        for file in _files(self.folder, _NAME):
            file.path.unlink(missing_ok=True)
            count += 1
        for file in _files(self.folder, _UNFINISHED):
            file.path.unlink(missing_ok=True)
        return count

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.result"

    def _shrink(self) -> None:
        """Remove what is too much; of many files a little more, so that few writes have to look.

        A look takes longer the more files there are. The next is due when a part of what is free is
        written, since other processes write as well.
        """
        files = sorted(_files(self.folder, _NAME), key=lambda file: file.used)
        total = sum(file.size for file in files)
        full = total > self.limit
        aim = self.limit - self.limit // _SPARE if full and len(files) > _FEW else self.limit
        for file in files:
            if total <= aim:
                break
            file.path.unlink(missing_ok=True)
            total -= file.size
        self._unseen = (self.limit - total) // _WRITERS
        for file in _files(self.folder, _UNFINISHED):
            if time.time() - file.used / 1e9 > _ABANDONED:
                file.path.unlink(missing_ok=True)


NOWHERE = Store(Path(), 0)
"""A store that keeps nothing."""


def _head(key: str, content: bytes) -> bytes:
    """Return what stands before `content`; it tells damage, and a file under another's name."""
    return _MAGIC + hashlib.sha256(key.encode() + content).digest()


def _read(path: Path, most: int) -> bytes:
    """Return a regular file of at most `most` bytes; anything else reads as empty."""
    flags = ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")
    descriptor = os.open(path, sum(getattr(os, name, 0) for name in flags) | os.O_RDONLY)
    with open(descriptor, "rb") as stream:
        state = os.fstat(descriptor)
        return stream.read() if stat.S_ISREG(state.st_mode) and state.st_size <= most else b""


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(f".{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _files(folder: Path, name: re.Pattern[str]) -> Iterator[_File]:
    """Yield the files of `folder` whose whole name matches; none where there is no folder."""
    try:
        found = [entry for entry in os.scandir(folder) if name.fullmatch(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        with contextlib.suppress(FileNotFoundError):
            state = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(state.st_mode):
                yield _File(Path(entry.path), state.st_size, state.st_mtime_ns)
