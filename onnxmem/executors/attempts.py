"""Tasks that are handed out at once, and tried again when their worker dies."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from onnxmem.errors import OnnxmemError
from onnxmem.text import printable

ATTEMPTS = 3
"""Deaths after which a task is left."""

T = TypeVar("T")


class LostError(Exception):
    """The executor itself is gone: nothing that is handed to it will be done."""


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """How a task ended.

    Attributes:
        task: which.
        value: what it gave.
        trouble: why it gave nothing, empty where it did.
        again: whether it is tried again.
    """

    task: T
    value: Any = None
    trouble: str = ""
    again: bool = False


def run_all(tasks: Sequence[T], submit: Callable[[T], Future[Any]]) -> Iterator[Ended[T]]:
    """Run tasks side by side, and yield how each ended; those whose workers die are tried again.

    Errors of this package count as what a task came to: they would come again.

    Raises:
        LostError: the executor is gone.
    """
    ended: queue.SimpleQueue[tuple[int, Future[Any]]] = queue.SimpleQueue()
    running: dict[int, Future[Any]] = {}
    deaths = [0] * len(tasks)

    def start(number: int) -> None:
        future = running[number] = submit(tasks[number])
        future.add_done_callback(lambda done: ended.put((number, done)))

    try:
        for number in range(len(tasks)):
            start(number)
        while running:
            number, future = ended.get()
            del running[number]
            one = _ended(tasks[number], future)
            if isinstance(one, Ended):
                yield one
                continue
            deaths[number] += 1
            again = deaths[number] < ATTEMPTS
            yield Ended(tasks[number], trouble=one, again=again)
            if again:
                start(number)
    except (BrokenExecutor, RuntimeError) as error:
        raise LostError(printable(str(error), 300)) from error
    finally:
        for future in running.values():
            future.cancel()


def _ended(task: T, future: Future[Any]) -> Ended[T] | str:
    """Return how a task ended, or why its worker is gone."""
    try:
        return Ended(task, future.result())
    except OnnxmemError as error:
        return Ended(task, trouble=str(error) or type(error).__name__)
    except CancelledError as error:
        raise LostError("it gave up a task that nobody took back") from error
    except BrokenExecutor:
        raise
    except Exception as error:  # noqa: BLE001 - executors raise what they like
        return printable(f"{type(error).__name__}: {error}", 300)
