"""Where the cache lies and how large it may grow: the user's choice, else the system's custom."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from onnxmem.cache.store import NOWHERE, Store
from onnxmem.errors import UsageError
from onnxmem.sizes import parse_size

FOLDER_VARIABLE = "ONNXMEM_CACHE_DIR"
SIZE_VARIABLE = "ONNXMEM_CACHE_SIZE"
DEFAULT_LIMIT = 2**30


def default_store(folder: str | Path | None = None) -> Store:
    """Return the store in `folder`, else that of this user; nothing is made or opened yet.

    The user's lies in $ONNXMEM_CACHE_DIR, else where the system keeps caches (`~/.cache/onnxmem`,
    or below $XDG_CACHE_HOME). Either holds at most $ONNXMEM_CACHE_SIZE, by default 1 GiB. Where a
    user has no home it keeps nothing, and its `trouble` says why.

    Raises:
        UsageError: $ONNXMEM_CACHE_SIZE is no size.
    """
    limit = _limit()
    if chosen := folder or os.environ.get(FOLDER_VARIABLE):
        return Store(Path(chosen).absolute(), limit)
    custom = _custom()
    if custom is None:
        trouble = f"there is no home folder to keep results in; set {FOLDER_VARIABLE}"
        return Store(Path(), 0, trouble)
    return Store(custom, limit)


def lenient_store() -> Store:
    """Return the store of this user for what does without: nowhere, where a setting is wrong."""
    try:
        return default_store()
    except UsageError:
        return NOWHERE


def _custom() -> Path | None:
    """Return where the system keeps caches of this user, None where it has no place for them."""
    try:
        path = platformdirs.user_cache_path("onnxmem", appauthor=False)
    except RuntimeError:
        return None
    # A relative path would lie in the current folder, which others may be able to write.
    return path if path.is_absolute() else None


def _limit() -> int:
    text = os.environ.get(SIZE_VARIABLE, "").strip()
    if not text:
        return DEFAULT_LIMIT
    return 0 if text == "0" else parse_size(text, SIZE_VARIABLE)
