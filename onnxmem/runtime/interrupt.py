"""Runs that Ctrl-C and SIGTERM end, however long they would take.

Python acts on a signal between two of its instructions, and a run of onnxruntime is a single one:
a loop with a huge count would go on. So a thread hears of the signal at once, by the file that
Python writes its number to, and asks the runs that go on to stop.
"""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_ENDS = (signal.SIGINT, signal.SIGTERM)

_lock = threading.Lock()
_running: set[Any] = set()
_stopping = threading.Event()


@contextmanager
def stoppable(onnxruntime: ModuleType) -> Iterator[Any]:
    """Give the `RunOptions` of one run, which a signal ends.

    Raises:
        KeyboardInterrupt: it did.
    """
    options = onnxruntime.RunOptions()
    with _lock:
        _running.add(options)
    try:
        if _stopping.is_set():
            raise KeyboardInterrupt
        yield options
    except Exception:
        if options.terminate:
            raise KeyboardInterrupt from None
        raise
    finally:
        with _lock:
            _running.discard(options)


def listen() -> None:
    """Hear of signals from now on, where the main thread asks and nobody else listens.

    What was interrupted before is over when the main thread comes here again.
    """
    if threading.current_thread() is threading.main_thread():
        _stopping.clear()
        _start()


@functools.cache
def _start() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
        return
    threading.Thread(target=_hear, args=(reader,), name="onnxmem-signals", daemon=True).start()


def _hear(reader: int) -> None:
    while numbers := os.read(reader, 64):
        if any(number in numbers and callable(signal.getsignal(number)) for number in _ENDS):
            stop()


def stop() -> None:
    """Ask all runs to stop, and let none begin before the main thread says so."""
    with _lock:
        _stopping.set()
        for options in _running:
            options.terminate = True
