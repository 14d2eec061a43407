"""One task: a child that audits a model, ended when its time is over, and what it left."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from onnxmem.cache.scratch import scratch_folder
from onnxmem.records import SurveyedModel
from onnxmem.report import load
from onnxmem.sandbox import Room
from onnxmem.sandbox.parent import CHILD, Ended, ending, reason, spawn, tail, wait
from onnxmem.sandbox.places import of_data, of_model
from onnxmem.surveying.child import Orders
from onnxmem.surveying.gpus import pinned
from onnxmem.surveying.kept import keep
from onnxmem.surveying.tasks import Input, Kept, Outcome, Task
from onnxmem.text import printable

_REASON = 1000
_MARKS = ("onnxmem: error: ", "onnxmem: inconclusive: ", "onnxmem: fail: ")
_MEASURED = (0, 1, 3)
"""Codes of an audit that leaves a report."""

_REFUSED = (2, 3, 4)
"""Codes of one that leaves none; whatever else a process ends with, it is no audit's."""


def run_task(task: Task, gpu: str = "") -> Outcome:
    """Audit one model in a process of its own, and keep its reports and its record.

    Args:
        task: which, and how.
        gpu: the only one that the child sees; empty: whatever there is.

    Returns:
        How it ended. Of a child that died nothing is kept, so that it can be tried again.

    Raises:
        OutputError: the reports cannot be written.
    """
    began = time.monotonic()
    with scratch_folder() as scratch:
        ended = _run(task, scratch, gpu)
        row, files = _row(task, ended, scratch)
        kept = Kept(row, task.digest, _inputs(scratch), round(time.monotonic() - began, 3))
        if ended.stopped:
            return Outcome(kept, "stopped")
        if ended.died and not ended.cause:
            return Outcome(kept, "died")
        keep(Path(task.out), kept, files)
        return Outcome(kept)


def _row(task: Task, ended: Ended, scratch: Path) -> tuple[SurveyedModel, dict[str, str | bytes]]:
    """Return what is told of a model, and its reports, if a child left any."""
    reports = [scratch / f"report.{kind}" for kind in ("json", "html")]
    if ended.code in _MEASURED and all(path.is_file() for path in reports):
        row = SurveyedModel.of(task.name, task.path, task.data, ended.code, load(reports[0]))
        return row, {f"{task.name}{path.suffix}": path.read_bytes() for path in reports}
    code = ended.code if ended.code in _REFUSED else 4
    return failed(task, code, _reason(ended, scratch / "stderr")), {}


def failed(task: Task, code: int, reason: str) -> SurveyedModel:
    """Return the row of a model that has no report."""
    return SurveyedModel(task.name, task.path, task.data, code, reason=reason)


def _run(task: Task, scratch: Path, gpu: str) -> Ended:
    temporary = scratch / "tmp"
    temporary.mkdir()
    orders = Orders(
        task.path,
        task.files,
        str(scratch / "inputs.json"),
        ("audit", *_freed(task), *task.arguments, *_outputs(task, scratch), "-q", "--", task.path),
    )
    with (scratch / "stderr").open("wb") as stderr:
        child = spawn(
            scratch / "orders.json",
            _room(task, scratch),
            "onnxmem.surveying.child",
            [msgspec.json.encode(orders).decode()],
            command=CHILD,
            folder=task.folder,
            environment={"TMPDIR": str(temporary), **pinned(gpu)},
            stderr=stderr,
        )
        with ending(child):
            ended = wait(child, task.timeout, lambda: not os.path.exists(task.lease))
    if ended.cause and not ended.stopped:
        return replace(ended, cause=f"{ended.cause}; what it measured is in the cache")
    return ended


def _freed(task: Task) -> tuple[str, ...]:
    """Return what tells an audit that it may do without a sandbox, where that was asked for."""
    return () if task.confined else ("--no-sandbox",)


def _room(task: Task, scratch: Path) -> Room:
    """Return what the audit of a task may take and touch."""
    place = partial(os.path.join, task.folder)
    reads = [*of_model(place(task.path)), str(scratch)]
    for file in task.files:
        reads += of_data(place(file))
    return Room(tuple(reads), (str(scratch),), task.memory, task.timeout, confined=task.confined)


def _outputs(task: Task, scratch: Path) -> list[str]:
    """Return the options of the outputs; those that nobody keeps go where they are removed."""
    kept = [f"--{kind}={scratch / 'report'}.{kind}" for kind in ("json", "html")]
    return kept + [f"--{name}={scratch / 'discarded'}-{name}.csv" for name in task.discarded]


def _inputs(scratch: Path) -> tuple[Input, ...]:
    try:
        content = (scratch / "inputs.json").read_bytes()
        return msgspec.json.decode(content, type=tuple[Input, ...])
    except (OSError, msgspec.DecodeError):
        return ()


def _reason(ended: Ended, stderr: Path) -> str:
    if ended.died:
        return reason(ended, tail(stderr))
    lines = tail(stderr).splitlines()
    for line in reversed(lines):
        for mark in _MARKS:
            if line.startswith(mark):
                return printable(line.removeprefix(mark), _REASON)
    if lines:
        return printable(lines[-1], _REASON)
    return f"its process ended with code {ended.code} and said nothing"
