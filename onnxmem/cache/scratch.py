"""Temporary folders for weights, and the removal of those that killed processes left behind.

A process keeps a file in its folder locked (flock(2)) for as long as it lives. The system releases
the lock however the process ends, so a folder whose lock can be taken is a leftover. The file gets
its name only after it is locked, so that no other process sees it unlocked. Where there are no
such locks (Windows, some network file systems) nothing of others is ever removed.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = "onnxmem-"
LOCK = "onnxmem.lock"
_OURS = re.compile(re.escape(PREFIX) + "[a-z0-9_]{8}")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty temporary folder that is removed at the end, after a look for leftovers.

    Raises:
        OSError: it cannot be made.
    """
    scratch = Scratch.make()
    try:
        yield scratch.folder
    finally:
        scratch.remove()


@dataclass(frozen=True, slots=True)
class Scratch:
    """A temporary folder, and the descriptor of its lock; see `scratch_folder`."""

    folder: Path
    lock: int | None

    @classmethod
    def make(cls) -> Scratch:
        """Return a new one, after a look for leftovers.

        Raises:
            OSError: it cannot be made.
        """
        remove_leftovers(Path(tempfile.gettempdir()))
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        try:
            return cls(folder, _hold(folder))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.lock is not None:
            os.close(self.lock)


def _hold(folder: Path) -> int | None:
    """Return the descriptor of a locked file in `folder`, None where nothing can be locked."""
    if fcntl is None:
        return None
    fresh = folder / f"{LOCK}.new"
    with suppress(OSError):
        lock = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fresh.rename(folder / LOCK)
        except OSError:
            os.close(lock)
            raise
        return lock
    return None


def unfinished_name() -> str:
    """Return a new name for what is made beside an output, and takes its place at the end."""
    return f"{_unfinished(os.getpid())}{os.urandom(8).hex()}"


def remove_unfinished(folder: str | Path, pid: int) -> None:
    """Remove what a process that was killed made under such names."""
    with suppress(OSError), os.scandir(folder) as entries:
        found = [entry for entry in entries if entry.name.startswith(_unfinished(pid))]
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry, ignore_errors=True)
            else:
                os.unlink(entry)


def _unfinished(pid: int) -> str:
    return f".{PREFIX}{pid}-"


def remove_leftovers(place: Path) -> None:
    """Remove from `place` the folders of this user whose processes have ended."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(place) as entries:
        found = [Path(entry) for entry in entries if _is_ours(entry)]
        for folder in found:
            with suppress(OSError):  # it is in use, or somebody else removes it
                _remove_dead(folder)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    return (
        _OURS.fullmatch(entry.name) is not None
        and entry.is_dir(follow_symlinks=False)
        and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    )


def _remove_dead(folder: Path) -> None:
    """Remove a folder.

    Raises:
        OSError: it holds no lock file, or its process lives.
    """
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.lstat(folder / LOCK)):
            shutil.rmtree(folder)
    finally:
        os.close(lock)


__all__ = ["Scratch", "remove_leftovers", "remove_unfinished", "scratch_folder", "unfinished_name"]
