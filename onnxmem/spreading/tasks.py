"""What a worker does for a spread audit. Takes and gives plain values, whoever carries them."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from onnxmem.arrays import sharing
from onnxmem.auditing.evidence import HeldOutSource, name_held_out
from onnxmem.auditing.parts import Part, Parts, Work, open_parts
from onnxmem.cache import Store
from onnxmem.data import load
from onnxmem.errors import EnvironmentFailedError, OnnxmemError, OutputError
from onnxmem.links import trusting_links
from onnxmem.spreading.job import Job
from onnxmem.text import printable


def list_parts(job: Job, at_once: int) -> list[dict[str, Any]]:
    """Return what the cache lacks, as parts for so many tasks at once.

    There are none where the audit cannot start; it says why.

    Raises:
        EnvironmentFailedError: this machine does not see the cache of the audit.
    """
    _check_living(job)
    with suppress(OnnxmemError), _parts(job) as parts:
        found: list[dict[str, Any]] = msgspec.to_builtins(parts.missing(at_once))
        return found
    return []


def measure(job: Job, part: dict[str, Any]) -> None:
    """Measure a part, and leave it in the cache.

    Raises:
        EnvironmentFailedError: this machine does not see the cache, or nobody waits any more.
        OutputError: the cache cannot be written.
        OnnxmemError: what keeps it from being measured.
    """
    _check_living(job)
    with _parts(job) as parts:
        parts.measure(msgspec.convert(part, Part), lambda progress: _check_living(job))
        if parts.trouble:
            raise OutputError(parts.trouble)


class _Bench:
    """A network that stays open between the parts of one audit that a process measures."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._stack = ExitStack()
        self._parts: Parts | None = None
        atexit.register(self.clear)

    def clear(self) -> None:
        """Close what is open."""
        self._job = self._parts = None
        self._stack.close()

    def parts(self, job: Job) -> Parts:
        """Return the parts of an audit, whose network is opened unless it is."""
        if self._parts is None or self._job != job:
            self.clear()
            self._parts = self._stack.enter_context(_open(job))
            self._job = job
        return self._parts


_bench = _Bench()


@contextmanager
def _parts(job: Job) -> Iterator[Parts]:
    """Give the parts of an audit; in a process that does nothing else they stay open."""
    if job.partners is None:
        with _open(job) as parts:
            yield parts
        return
    try:
        yield _bench.parts(job)
    except BaseException:
        _bench.clear()
        raise


@contextmanager
def _open(job: Job) -> Iterator[Parts]:
    with trusting_links(job.trust_links), sharing(job.partners), open_parts(_work(job)) as parts:
        yield parts


def _work(job: Job) -> Work:
    folder, limit = job.cache
    memory, reading = job.settings.memory, job.reading
    arrays = load(
        reading.path,
        labels=reading.labels,
        label_column=reading.label_column,
        class_names=reading.class_names,
        preprocess=reading.preprocess,
        memory=memory,
    )
    held_out = HeldOutSource(splits=reading.splits)
    if reading.held_out is not None:
        held_out = name_held_out(
            reading.held_out,
            {},
            label_column=reading.label_column,
            class_names=reading.class_names,
            preprocess=reading.preprocess,
            memory=memory,
        )
    store = Store(Path(folder), limit)
    return Work(job.model, arrays, job.settings, held_out, store, job.baseline)


def _check_living(job: Job) -> None:
    if not os.path.exists(job.lease):
        shown = printable(os.path.dirname(job.lease), 200)
        raise EnvironmentFailedError(f"this worker does not see {shown}, or the audit was stopped")
