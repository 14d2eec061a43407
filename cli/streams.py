"""Standard streams whose reader may go away, or whose disk may be full."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


def silence(stream: TextIO) -> None:
    """Send what is still written to a stream nowhere, also when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_out() -> None:
    """Write what stdout still holds, unless nobody reads it any more."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            silence(sys.stdout)


def let_go() -> None:
    """Drop what cannot be written, or the interpreter tries again at its end and exits with 120."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                silence(stream)


@contextmanager
def heard_or_not() -> Iterator[None]:
    """Let nothing that is written to stderr fail: what it is about counts, and its exit code."""
    try:
        yield
    except OSError:
        silence(sys.stderr)


def tell(line: str) -> None:
    """Write a line to stderr."""
    if sys.stderr is not None:
        with heard_or_not():
            print(line, file=sys.stderr, flush=True)
