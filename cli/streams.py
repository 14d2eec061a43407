"""Standard streams whose reader may go away, or whose disk may be full."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click


def silence(stream: TextIO) -> None:
    """Send what is still written to a stream nowhere, also when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def heard_or_not() -> Iterator[None]:
    """Let nothing that is written to stderr fail: what it is about counts, and its exit code."""
    try:
        yield
    except OSError:
        silence(sys.stderr)


def tell(line: str) -> None:
    """Write a line to stderr."""
    with heard_or_not():
        click.echo(line, err=True)
