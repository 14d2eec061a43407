"""What all layers of one audit have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from onnxmem.arrays import Array
from onnxmem.auditing.clock import Clock
from onnxmem.auditing.network import Network
from onnxmem.auditing.settings import Settings
from onnxmem.data import Batch, Selection
from onnxmem.factorize import kernel_name
from onnxmem.runtime import Device

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Workers:
    """Threads that work on batches side by side: `count` of them, none in the pool for 1."""

    count: int
    pool: ThreadPoolExecutor | None = None

    def map(self, function: Callable[[T], R], items: Iterable[T], at_once: int) -> list[R]:
        """Apply `function` to `items`, at most `at_once` at a time."""
        if self.pool is None or at_once == 1:
            return [function(item) for item in items]
        gate = BoundedSemaphore(at_once)

        def gated(item: T) -> R:
            with gate:
                return function(item)

        return list(self.pool.map(gated, items))


@contextmanager
def workers(device: Device) -> Iterator[Workers]:
    """Give as many workers as there are cores to use.

    Every library runs on one thread and batches run side by side, so that no sum depends on the
    number of cores: onnxruntime's threads inside of an operator split some sums by their number.
    A GPU takes one batch at a time.
    """
    count = 1 if device.is_cuda else len(_affinity())
    kernel_name(device.is_cuda)  # loads the libraries whose threads are limited
    with threadpool_limits(1):
        if count == 1:
            yield Workers(1)
            return
        pool = ThreadPoolExecutor(count, thread_name_prefix="onnxmem")
        try:
            yield Workers(count, pool)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _affinity() -> Sequence[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all layers of one audit have in common.

    Attributes:
        network: the prepared model.
        inputs, shared: the selected samples on the device, and inputs common to all of them.
        selection: which samples form which batch.
        truth: (samples,) the class that counts as correct.
        reference: kind of batch -> the model's own output for each batch.
        separable: whether samples may run in any grouping.
        independent: whether no output of the model depends on the other samples of its batch.
        baseline: accuracy of the untouched model.
        weights: kind of batch -> bootstrap weights (draws, samples).
        settings: of the audit.
        memory: bytes that activations may take.
        workers: what works on several batches at once.
        clock: adds up the seconds of each stage.
    """

    network: Network
    inputs: Mapping[str, Array]
    shared: Mapping[str, Array]
    selection: Selection
    truth: np.ndarray
    reference: Mapping[str, tuple[Array, ...]]
    separable: bool
    independent: bool
    baseline: float
    weights: Mapping[str, np.ndarray]
    settings: Settings
    memory: int
    workers: Workers
    clock: Clock

    def batches(self, kind: str) -> tuple[Batch, ...]:
        """Return the batches of a kind: `class` or `mixed`."""
        return self.selection.batches(kind)
