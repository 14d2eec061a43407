"""A light process forks: the child enters a room and goes on, the parent waits for it.

Forking is quick, since nothing is imported twice, and safe, since the parent has one thread and has
opened nothing. The child leads a group of its own, so that all that it starts ends with it; so the
terminal tells the parent alone of Ctrl-C and Ctrl-Z, and the parent passes them on.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from onnxmem.cache.scratch import Scratch, remove_unfinished
from onnxmem.sandbox.lifeline import end_with_parent
from onnxmem.sandbox.parent import Ended, end, reason, tail, wait
from onnxmem.sandbox.room import Room, enter

CAN_FORK = hasattr(os, "fork")

_SETTLING = 0.002
"""Seconds between a process that closes its files and its end."""

_ASKING = {signal.SIGINT, signal.SIGTERM}
"""Signals that ask a process to end."""

_SAID = "libraries-said"
"""The file that what libraries write to stderr goes to."""


class Forked:
    """A child of this process, as `subprocess.Popen` is one; `done` ends when it does."""

    def __init__(self, pid: int, done: int) -> None:
        self.pid, self._done = pid, done
        self._code: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code, below 0 for a signal.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        last = float("inf") if timeout is None else time.monotonic() + timeout
        while (code := self._ask()) is None:
            left = last - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired("onnxmem", timeout or 0)
            if select.select([self._done], [], [], None if timeout is None else left)[0]:
                time.sleep(_SETTLING)
        return code

    def _ask(self) -> int | None:
        if self._code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code


def fork(room: Room, *, verbose: bool = False) -> Ended | None:
    """Go on in a child that has entered a room.

    What libraries write to stderr is heard where it died of that, else with `verbose` alone.

    Returns:
        None in the child. In the parent, which comes back when it has ended, how: `cause` says
        why it died, in words, and nothing that it began is left.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _ASKING)
    scratch = Scratch.make()
    life, done = os.pipe(), os.pipe()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError, ValueError):
            stream.flush()
    pid = os.fork()
    if pid == 0:
        os.close(life[1])
        os.close(done[0])
        _become(room, scratch.folder, life[0], verbose=verbose)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        return None
    os.close(life[0])
    os.close(done[1])
    with suppress(OSError):  # it has done so itself
        os.setpgid(pid, pid)
    try:
        ended = _watch(Forked(pid, done[0]), room.seconds, held)
        if not ended.died:
            return ended
        for folder in room.writes:
            remove_unfinished(folder, pid)
        return replace(ended, cause=reason(ended, tail(scratch.folder / _SAID)))
    finally:
        os.close(life[1])
        os.close(done[0])
        scratch.remove()


def _become(room: Room, scratch: Path, life: int, *, verbose: bool) -> None:
    with suppress(OSError):
        os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    if not verbose:
        _hear_libraries(scratch / _SAID)
    enter(replace(room, writes=(*room.writes, str(scratch))))
    end_with_parent(life)


def _hear_libraries(file: Path) -> None:
    """Send what libraries write to stderr to a file; what Python writes goes where it went."""
    if sys.stderr is None:
        return
    try:
        shown = os.dup(2)
    except OSError:
        return
    said = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(said, 2)
    os.close(said)
    old = sys.stderr
    sys.stderr = os.fdopen(shown, "w", 1, old.encoding, old.errors)


def _watch(child: Forked, seconds: float | None, held: Iterable[int]) -> Ended:
    """Wait for a child, and pass on to it what signals ask of this process.

    From here on signals come but those that were `held` before.
    """
    with _passing_on(child.pid) as asked:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        ended = wait(child, seconds)
        end(child)
    return replace(ended, stopped=bool(asked))


@contextmanager
def _passing_on(pid: int) -> Iterator[list[int]]:
    """Pass signals on to a group of processes, and keep those that asked it to end.

    The second of those ends it at once.
    """
    asked: list[int] = []

    def stop(number: int, frame: object) -> None:
        asked.append(number)
        _send(pid, number if len(asked) == 1 else signal.SIGKILL)

    def pause(number: int, frame: object) -> None:
        _send(pid, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        _send(pid, signal.SIGCONT)

    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGTSTP: pause}
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    ignored = {one for one in handlers if signal.getsignal(one) is signal.SIG_IGN}
    before = {one: signal.signal(one, handlers[one]) for one in handlers if one not in ignored}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
