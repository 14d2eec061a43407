"""Hands out the parts of an audit, and waits until all are in the cache or given up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from onnxmem.auditing.parts import Part
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.errors import OutputError
from onnxmem.executors.attempts import Ended, LostError, run_all
from onnxmem.executors.room import room
from onnxmem.spreading.job import Job
from onnxmem.spreading.tasks import list_parts, measure


def spread(job: Job, executor: Executor, listen: Listener = lambda progress: None) -> int:
    """Measure what an audit needs on the workers of an executor; the results are in its cache.

    Nothing is raised for what a worker could not do: the audit that follows does it itself, or
    says why it cannot be done. Each such thing is a note of progress.

    Args:
        job: the audit; its lease is made here.
        executor: runs tasks, in processes that see the same files under the same paths.
        listen: told about progress.

    Returns:
        How many parts were measured.

    Raises:
        OutputError: the cache cannot be written.
    """
    with _lease(Path(job.cache[0])) as lease:
        job = replace(job, lease=lease)
        try:
            parts = _parts(job, executor, listen)
            return _measure(job, parts, executor, listen)
        except LostError as error:
            listen(Progress("spreading", 0, 0, f"the workers are gone ({error}); going on alone"))
            return 0


def _parts(job: Job, executor: Executor, listen: Listener) -> tuple[Part, ...]:
    listen(Progress("looking for what is missing", 0, 0))
    at_once = room(executor)
    for ended in run_all([job], lambda one: executor.submit(list_parts, one, at_once)):
        if not ended.trouble:
            return tuple(msgspec.convert(one, Part) for one in ended.value)
        _tell(ended, "the list of layers", Progress("spreading", 0, 0), listen)
    return ()


def _measure(job: Job, parts: tuple[Part, ...], executor: Executor, listen: Listener) -> int:
    done = measured = 0
    if not parts:
        return 0
    stage = Progress("on the workers", 0, len(parts), unit="parts")
    listen(replace(stage, note=f"{len(parts)} parts for {room(executor)} workers"))
    for ended in run_all(parts, _submit(job, executor)):
        done += not ended.again
        measured += not ended.trouble
        stage = replace(stage, stage=ended.task.name, done=done)
        if ended.trouble:
            _tell(ended, ended.task.name, stage, listen)
        else:
            listen(stage)
    return measured


def _submit(job: Job, executor: Executor) -> Callable[[Part], Future[None]]:
    return lambda part: executor.submit(measure, job, msgspec.to_builtins(part))


def _tell(ended: Ended[Any], name: str, stage: Progress, listen: Listener) -> None:
    """Say what was not done."""
    then = "once more" if ended.again else "it is done here"
    listen(replace(stage, note=f"{name}: {ended.trouble}; {then}"))


@contextmanager
def _lease(folder: Path) -> Iterator[str]:
    """Give a file in the cache that is there for as long as somebody waits: tasks end without it.

    Raises:
        OutputError: it cannot be made.
    """
    path = folder / f".living-{os.urandom(8).hex()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        why = error.strerror or error
        raise OutputError(f"an audit is spread through its cache: {folder}: {why}") from error
    try:
        yield str(path)
    finally:
        with suppress(OSError):
            path.unlink()
