"""What a worker does for a spread audit. Takes and gives plain values, whoever carries them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from onnxmem.arrays import sharing
from onnxmem.auditing.evidence import HeldOutSource, name_held_out
from onnxmem.auditing.parts import Part, Work, measure_part, missing_parts
from onnxmem.auditing.progress import Progress
from onnxmem.cache import Store
from onnxmem.data import load
from onnxmem.errors import EnvironmentFailedError, OnnxmemError, OutputError
from onnxmem.spreading.job import Job
from onnxmem.text import printable


def list_parts(job: Job, at_once: int) -> list[dict[str, Any]]:
    """Return what the cache lacks, as parts for so many tasks at once.

    There are none where the audit cannot start; it says why.

    Raises:
        EnvironmentFailedError: this machine does not see the cache of the audit.
    """
    _check_living(job)
    with sharing(job.partners), suppress(OnnxmemError):
        found: list[dict[str, Any]] = msgspec.to_builtins(missing_parts(_work(job), at_once))
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
    with sharing(job.partners):
        work = _work(job)
        measure_part(work, msgspec.convert(part, Part), lambda progress: _stay(job, progress))
    if work.store.trouble:
        raise OutputError(work.store.trouble)


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


def _stay(job: Job, progress: Progress) -> None:
    """Go on only while somebody waits for the result."""
    _check_living(job)
