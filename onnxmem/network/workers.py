"""Threads that work on several batches side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from onnxmem.arrays import own_cores
from onnxmem.factorize import kernel_name
from onnxmem.runtime import Device

_SHARES = 4
"""Shares of a worker, where there are many items: what a thread is handed costs by the piece."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Workers:
    """Threads that work on batches side by side: `count` of them, none in the pool for 1."""

    count: int
    pool: ThreadPoolExecutor | None = None

    def map(self, function: Callable[[T], R], items: Iterable[T], at_once: int) -> list[R]:
        """Apply `function` to `items`, at most `at_once` at a time."""
        todo = list(items)
        if self.pool is None or at_once == 1 or len(todo) < 2:
            return [function(item) for item in todo]
        gate = BoundedSemaphore(at_once)

        def gated(some: Sequence[T]) -> list[R]:
            with gate:
                return [function(item) for item in some]

        size = max(1, len(todo) // (_SHARES * self.count))
        shares = [todo[start : start + size] for start in range(0, len(todo), size)]
        return [result for share in self.pool.map(gated, shares) for result in share]


ALONE = Workers(1)


@contextmanager
def workers(device: Device) -> Iterator[Workers]:
    """Give as many workers as there are cores to use.

    Every library runs on one thread and batches run side by side, so that no sum depends on the
    number of cores: onnxruntime's threads inside of an operator split some sums by their number.
    A GPU takes one batch at a time.
    """
    count = 1 if device.is_cuda else own_cores()
    kernel_name(device.is_cuda)  # loads the libraries whose threads are limited
    with _one_thread_each():
        if count == 1:
            yield ALONE
            return
        pool = ThreadPoolExecutor(count, thread_name_prefix="onnxmem")
        try:
            yield Workers(count, pool)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_lock = threading.Lock()
_limits: list[Any] = []
"""The limits that are in force, one for each that asked; only the first changes anything."""


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Hold every library to one thread for as long as anybody in this process is inside.

    Limits belong to the process: the one that ends first must not lift those of the others.
    """
    with _lock:
        _limits.append(_limits[0] if _limits else threadpool_limits(1))
    try:
        yield
    finally:
        with _lock:
            last = _limits.pop()
            if not _limits:
                last.restore_original_limits()
