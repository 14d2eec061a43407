"""Files as they were when an audit read them, and whether they still are."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from onnxmem.surveying.tasks import Input


def stamps(paths: Iterable[str | Path]) -> tuple[Input, ...]:
    """Return what the files are like now; those that are not there are left out."""
    found = (_stamp(str(path)) for path in sorted({str(path) for path in paths}))
    return tuple(one for one in found if one is not None)


def unchanged(inputs: Iterable[Input]) -> bool:
    """Tell whether all files are as they were: of the same size and time, or of the same bytes."""
    return all(_same(one) for one in inputs)


def _same(one: Input) -> bool:
    try:
        state = os.stat(one.path)
    except OSError:
        return False
    if not os.path.isdir(one.path) and (state.st_size, state.st_mtime_ns) == (
        one.size,
        one.mtime_ns,
    ):
        return True
    now = _stamp(one.path)
    return now is not None and now.sha256 == one.sha256


def _stamp(path: str) -> Input | None:
    try:
        state = os.stat(path)
        if os.path.isdir(path):
            return Input(path, 0, 0, _listing(path))
        digest = _digest(path, state.st_size, state.st_mtime_ns)
    except OSError:
        return None
    return Input(path, state.st_size, state.st_mtime_ns, digest)


@functools.lru_cache(maxsize=1024)
def _digest(path: str, size: int, mtime_ns: int) -> str:
    """Return the hash of a file, which many models may share, read once in that state."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _listing(folder: str) -> str:
    """Return a hash of the names, sizes and times of all files in a folder."""
    digest = hashlib.sha256()
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            state = os.lstat(path)
            line = f"{os.path.relpath(path, folder)}\0{state.st_size}\0{state.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
