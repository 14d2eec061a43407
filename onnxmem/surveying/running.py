"""One task: a child that audits a model, ended when its time is over, and what it left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onnxmem.cache.scratch import scratch_folder
from onnxmem.records import SurveyedModel
from onnxmem.report import load
from onnxmem.surveying.child import Orders
from onnxmem.surveying.kept import keep
from onnxmem.surveying.limits import pinned
from onnxmem.surveying.tasks import Input, Kept, Outcome, Task
from onnxmem.text import printable

CHILD = ("-P", "-m", "onnxmem.surveying.child")
"""What Python runs; the current folder is no place to import from."""

_LOOK = 0.25
"""Seconds between two looks at whether the survey still lives."""

_TAIL = 8192
"""Bytes of the end of stderr that are read."""

_KILLED = -9
"""What a child ended with that the parent killed."""

_REASON = 1000
_MARKS = ("onnxmem: error: ", "onnxmem: inconclusive: ", "onnxmem: fail: ")
_MEASURED = (0, 1, 3)
"""Codes of an audit that leaves a report."""

_REFUSED = (2, 3, 4)
"""Codes of one that leaves none; whatever else a process ends with, it is no audit's."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a child ended: its code, below 0 for a signal; `cause` where its time was over.

    `stopped` tells that the survey ended before it.
    """

    code: int
    cause: str = ""
    stopped: bool = False


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
        if ended.code < 0 and not ended.cause:
            return Outcome(kept, "died")
        keep(Path(task.out), kept, files)
        return Outcome(kept)


def _row(task: Task, ended: _Ended, scratch: Path) -> tuple[SurveyedModel, dict[str, str | bytes]]:
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


def _run(task: Task, scratch: Path, gpu: str) -> _Ended:
    temporary = scratch / "tmp"
    temporary.mkdir()
    orders = Orders(
        task.path,
        task.files,
        str(scratch / "inputs.json"),
        ("audit", *task.arguments, *_outputs(task, scratch), "-q", "--", task.path),
        task.memory,
        task.timeout,
    )
    with (scratch / "stderr").open("wb") as stderr:
        child = subprocess.Popen(
            [sys.executable, *CHILD, msgspec.json.encode(orders).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            cwd=task.folder,
            env={**os.environ, "TMPDIR": str(temporary), **pinned(gpu)},
            start_new_session=True,
        )
        with _ending(child):
            return _wait(child, task)


def _outputs(task: Task, scratch: Path) -> list[str]:
    """Return the options of the outputs; those that nobody keeps go where they are removed."""
    kept = [f"--{kind}={scratch / 'report'}.{kind}" for kind in ("json", "html")]
    return kept + [f"--{name}={scratch / 'discarded'}-{name}.csv" for name in task.discarded]


def _wait(child: subprocess.Popen[bytes], task: Task) -> _Ended:
    """Wait for a child; end it where its time is over, or the survey."""
    end = None if task.timeout is None else time.monotonic() + task.timeout
    while True:
        left = _LOOK if end is None else min(_LOOK, max(0.0, end - time.monotonic()))
        with suppress(subprocess.TimeoutExpired):
            return _Ended(child.wait(left))
        if end is not None and time.monotonic() >= end:
            cause = f"it took longer than --timeout {task.timeout:g} s"
            return _Ended(_KILLED, f"{cause}; what it measured is in the cache")
        if not os.path.exists(task.lease):
            return _Ended(_KILLED, "the survey was stopped", stopped=True)


@contextmanager
def _ending(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """See to it that a child and all that it started have ended at the end."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
        child.wait()
        if child.stdin is not None:
            child.stdin.close()


def _inputs(scratch: Path) -> tuple[Input, ...]:
    try:
        content = (scratch / "inputs.json").read_bytes()
        return msgspec.json.decode(content, type=tuple[Input, ...])
    except (OSError, msgspec.DecodeError):
        return ()


def _reason(ended: _Ended, stderr: Path) -> str:
    if ended.cause:
        return ended.cause
    if ended.code < 0:
        return f"its process died of {_signal_name(-ended.code)}"
    with suppress(OSError), stderr.open("rb") as stream:
        stream.seek(max(0, stderr.stat().st_size - _TAIL))
        lines = stream.read(_TAIL).decode("utf-8", "replace").splitlines()
        for line in reversed(lines):
            for mark in _MARKS:
                if line.startswith(mark):
                    return printable(line.removeprefix(mark), _REASON)
        if lines:
            return printable(lines[-1], _REASON)
    return f"its process ended with code {ended.code} and said nothing"


def _signal_name(number: int) -> str:
    if number == getattr(signal, "SIGXCPU", 0):
        return "SIGXCPU: it took more processor time than --timeout allows"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
