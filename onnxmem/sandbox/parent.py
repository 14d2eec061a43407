"""Waits for a process in a room, ends it where its time is over, and says how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from onnxmem.sandbox.room import Room

CHILD = ("-P", "-m", "onnxmem.sandbox.child")
"""What Python runs; the current folder is no place to import from."""

KILLED = -9
"""What a process ended with that its parent killed."""

_LOOK = 0.25
"""Seconds between two looks at whether there is still a reason to wait."""

_TAIL = 8192
"""Bytes of the end of what libraries said that are read."""

_OUT_OF_MEMORY = ("bad_alloc", "memory allocation of", "MemoryError", "out of memory")
"""What libraries say of themselves before they end the process for want of memory."""


class Waitable(Protocol):
    """A process that has been started: what is used of `subprocess.Popen`."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code, below 0 for a signal.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its code, below 0 for a signal; `cause` where its time was over.

    `stopped` tells that nobody waits for it any more.
    """

    code: int
    cause: str = ""
    stopped: bool = False

    @property
    def died(self) -> bool:
        """Whether it did not end by itself."""
        return self.code < 0


def wait(
    child: Waitable,
    seconds: float | None,
    stopped: Callable[[], bool] = lambda: False,
    option: str = "--timeout ",
) -> Ended:
    """Wait for a process until its time is over, or nobody wants it any more.

    `option` is what the seconds were given by.
    """
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        left = _LOOK if end is None else min(_LOOK, max(0.0, end - time.monotonic()))
        with suppress(subprocess.TimeoutExpired):
            return Ended(child.wait(left))
        if end is not None and time.monotonic() >= end:
            return Ended(KILLED, f"it took longer than {option}{seconds:g} s")
        if stopped():
            return Ended(KILLED, "it was stopped", stopped=True)


@contextmanager
def ending(child: Waitable) -> Iterator[None]:
    """See to it that a process and all of its group have ended at the end."""
    try:
        yield
    finally:
        end(child)


def end(child: Waitable) -> None:
    """End a process, and all of its group."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            os.kill(child.pid, signal.SIGTERM)
    child.wait()
    if (stdin := getattr(child, "stdin", None)) is not None:
        stdin.close()


def spawn(
    orders: Path,
    room: Room,
    module: str,
    arguments: list[str],
    *,
    command: tuple[str, ...] = CHILD,
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start an interpreter that enters a room and then is `python -m MODULE ARGUMENTS`.

    Args:
        orders: where what it shall do is written.
        room: that it enters.
        module: that it runs.
        arguments: of the module.
        command: what Python runs.
        folder: its current folder.
        environment: variables that are set besides those of this process.
        stdout: where its stdout goes.
        stderr: where its stderr goes.

    Returns:
        The process. It ends with this one: its stdin is a pipe that nothing is written to.
    """
    import msgspec

    content = {"room": room, "module": module, "arguments": arguments}
    orders.write_bytes(msgspec.json.encode(content))
    return subprocess.Popen(
        [sys.executable, *command, str(orders)],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )


def reason(ended: Ended, said: str = "") -> str:
    """Return why a process died, in words; `said` is what libraries wrote to stderr."""
    if ended.cause:
        return ended.cause
    cause = f"its process died of {_signal_name(-ended.code)}"
    if any(words in said for words in _OUT_OF_MEMORY):
        return f"{cause}: out of memory; use a smaller --per-class, or a larger --memory"
    if ended.code == KILLED:
        return f"{cause}, most likely because the system ran out of memory"
    return cause


def tail(path: Path) -> str:
    """Return the end of a file of text, nothing where there is none."""
    with suppress(OSError), path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        return stream.read(_TAIL).decode("utf-8", "replace")
    return ""


def _signal_name(number: int) -> str:
    if number == getattr(signal, "SIGXCPU", 0):
        return "SIGXCPU: it took more processor time than --timeout allows"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
