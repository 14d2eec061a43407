"""Worker processes on this machine. One that dies loses its call, and another takes its place.

A pool of the standard library breaks as a whole when one of its processes dies, and starts the
program of its caller anew in each; these do neither.
"""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec

from onnxmem import errors
from onnxmem.executors.messages import Answer, read, write

WORKER = ("-P", "-m", "onnxmem.executors.worker")
"""What Python runs; the current folder is no place to import from."""


_PATIENCE = 10
"""Seconds that an idle process has to end by itself, and to tidy up."""


class WorkerDiedError(Exception):
    """A worker process ended in the middle of a call."""


class Processes(Executor):
    """Runs functions in worker processes, which give back plain types alone."""

    def __init__(self, count: int) -> None:
        """Prepare `count` workers, which start when they are needed."""
        self._max_workers = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="onnxmem-workers")
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all = [_Worker() for _ in range(count)]
        for worker in self._all:
            self._idle.put(worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function of a module in one of the processes."""
        if kwargs:
            raise TypeError("a worker takes positional arguments alone")
        return self._threads.submit(self._call, pickle.dumps((fn, args)))

    def _call(self, content: bytes) -> Any:
        worker = self._idle.get()
        try:
            return worker.call(content)
        finally:
            self._idle.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers; those in the middle of a call are killed, unless it is waited for."""
        if cancel_futures or not wait:
            self._threads.shutdown(wait=False, cancel_futures=True)
        else:
            self._threads.shutdown()
        for worker in self._all:
            worker.end()
        self._threads.shutdown()


class _Worker:
    """A process, started when it is needed."""

    def __init__(self) -> None:
        self._busy = False
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, content: bytes) -> Any:
        """Return what a call gives, or raise what it raised.

        Raises:
            WorkerDiedError: the process ended.
            OnnxmemError: as the function did.
            RuntimeError: the function raised anything else.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        self._busy = True
        try:
            write(process.stdin, content)
            answer = msgspec.json.decode(read(process.stdout), type=Answer)
            self._busy = False
        except (OSError, EOFError, ValueError) as error:
            self.end()
            raise WorkerDiedError(f"its process ended with {process.returncode}") from error
        if answer.error:
            raise _error(answer)
        return answer.value

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, *WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self._process

    def end(self) -> None:
        """End the process, if there is one; in the middle of a call it is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None and not self._busy:
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()


def _error(answer: Answer) -> Exception:
    """Return the error that an answer tells of."""
    kind = getattr(errors, answer.error, None)
    if isinstance(kind, type) and issubclass(kind, errors.OnnxmemError):
        return kind(answer.message)
    if answer.error == "MemoryError":
        return errors.OutOfMemoryError(answer.message or "out of memory")
    return RuntimeError(f"{answer.error}: {answer.message}")
