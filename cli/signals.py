"""Lets a termination end the command as an interrupt does, from its first moment on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(Exception):
    """A signal ended the command."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let a termination end what is inside as an interrupt does, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def unspoken() -> Iterator[None]:
    """Keep click from an empty line on stderr where a signal ends what is inside.

    Raises:
        Interrupted: it did.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted from error
