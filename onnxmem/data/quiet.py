"""Keeps the lines of libraries that read images from stderr; what is wrong is raised anyway."""

from __future__ import annotations

import functools
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@functools.cache
def hush_pillow() -> None:
    """Let Pillow neither warn nor log to stderr."""
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=r"PIL\.")


@contextmanager
def unheard() -> Iterator[None]:
    """Let nothing reach stderr: libtiff writes there by itself. One thread at a time."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
