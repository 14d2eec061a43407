"""Hands tasks to an executor, tries again what died, and puts the survey together."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import queue
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from onnxmem._version import __version__
from onnxmem.errors import EnvironmentFailedError, OnnxmemError, UsageError
from onnxmem.records import SURVEY_SCHEMA, SurveyedModel, SurveyReport, Tool
from onnxmem.report import render_survey, write_all
from onnxmem.sandbox.limits import data_limit
from onnxmem.sandbox.places import of_model, size
from onnxmem.sizes import parse_size
from onnxmem.surveying import kept as keeping
from onnxmem.surveying.gpus import gpus
from onnxmem.surveying.manifest import Entry
from onnxmem.surveying.names import file_names
from onnxmem.surveying.options import PATHS, arguments, take_room
from onnxmem.surveying.running import failed, run_task
from onnxmem.surveying.tasks import Kept, Outcome, Task
from onnxmem.text import printable

ATTEMPTS = 3
"""Deaths after which a model is reported and left."""

_LIBRARIES = ("numpy", "onnx", "onnx-ir", "onnxruntime", "onnxruntime-gpu", "cupy-cuda13x")
_OWN = {"survey.json": "json", "index.html": "html"}
"""The files of the survey itself, and their formats."""

_CONFIGURATIONS = ("onnxmem.toml", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Step:
    """Where a survey stands: `done` of `total` models; `note` is said once."""

    stage: str
    done: int
    total: int
    note: str = ""
    unit: str = "models"


Listener = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a survey is made.

    Attributes:
        out: the folder of all that is written.
        options: of every audit; they hold over those of the entries.
        workers: processes at a time; None: one for each GPU, or one.
        timeout: seconds that a model may take.
        shard: which of how many parts of the models are audited, from 1 on.
        discarded: options of outputs that a configuration sets, see `Task`.
        sources: what the survey was made from, for the record.
    """

    out: Path
    options: dict[str, Any] = field(default_factory=dict)
    workers: int | None = None
    timeout: float | None = None
    shard: tuple[int, int] = (1, 1)
    discarded: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        part, parts = self.shard
        if not 1 <= part <= parts:
            raise UsageError(f"--shard {part}/{parts}: give I/N with I from 1 to N")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"--workers {self.workers}: give one at least")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"--timeout {self.timeout}: give seconds above 0")


def survey(
    entries: Sequence[Entry],
    plan: Plan,
    executor: Executor | None = None,
    listen: Listener = lambda step: None,
) -> SurveyReport:
    """Audit models, each in a process of its own, and write what was found of all.

    Args:
        entries: the models.
        plan: how.
        executor: runs the tasks, on whatever machines have the same files; None: threads of this
            process, each with a child at a time.
        listen: told of every model that ends.

    Returns:
        All models, those of other shards included as far as they are known. The same is in
        `survey.json` and `index.html`.

    Raises:
        UsageError: an entry has no data, or an option a value that it does not take.
        OutputError: the folder cannot be written.
        EnvironmentFailedError: the executor broke.
    """
    pool = gpus() if _device(plan) != "cpu" else []
    workers = plan.workers or max(1, len(pool))
    with _lease(plan.out) as lease:
        tasks = _tasks(entries, plan, lease, workers)
        files = (f"{task.name}{end}" for task in tasks for end in keeping.ENDINGS)
        keeping.prepare(plan.out, [*files, *_OWN])
        part, parts = plan.shard
        own = tasks[part - 1 :: parts]
        todo = [task for task in own if not _holds(task)]
        listen(Step("starting", len(own) - len(todo), len(own), _known(len(own) - len(todo))))
        try:
            with _executor(executor, workers, pool) as submit:
                _run_all(todo, submit, len(own), listen)
        finally:
            report = _publish(tasks, plan)
    return report


def own_exit_code(report: SurveyReport, plan: Plan) -> int:
    """Return the highest code of the models of the plan's shard."""
    part, parts = plan.shard
    codes = [one.exit_code for one in report.models[part - 1 :: parts]]
    return max((code for code in codes if code is not None), default=0)


def _known(count: int) -> str:
    return f"{count} unchanged since they were audited" if count else ""


def _device(plan: Plan) -> str:
    return str(plan.options.get("device", "auto"))


def _tasks(entries: Sequence[Entry], plan: Plan, lease: str, workers: int) -> list[Task]:
    names = file_names([(entry.name, entry.path) for entry in entries])
    return [
        _task(entry, name, plan, lease, workers) for entry, name in zip(entries, names, strict=True)
    ]


def _task(entry: Entry, name: str, plan: Plan, lease: str, workers: int) -> Task:
    options = dict(sorted({**entry.options, **plan.options}.items()))
    if "data" not in options:
        raise UsageError(f"{entry.where or printable(entry.path, 200)} has no data; give --data")
    try:
        seconds, confined = take_room(options)
        words = arguments(options)
        memory = parse_size(str(options["memory"])) if "memory" in options else None
    except UsageError as error:
        raise UsageError(f"{entry.where}: {error}") from error
    return Task(
        name=name,
        path=entry.path,
        data=str(options["data"]),
        arguments=tuple(words),
        folder=os.getcwd(),
        out=str(plan.out.absolute()),
        lease=lease,
        files=tuple(_read(options)),
        digest=_digest(words),
        memory=data_limit(memory, workers, _sizes(entry, options)),
        timeout=plan.timeout if seconds is None else seconds,
        confined=confined,
        discarded=plan.discarded,
    )


def _read(options: dict[str, Any]) -> Iterator[str]:
    """Yield the files that an audit with these options reads, configurations among them."""
    for key in PATHS:
        value = options.get(key, ())
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if os.path.exists(str(one)):
                yield str(one)
    for folder in (Path.cwd(), *Path.cwd().parents):
        yield from (str(folder / name) for name in _CONFIGURATIONS if (folder / name).is_file())


def _sizes(entry: Entry, options: dict[str, Any]) -> int:
    """Return the bytes of the model, of weights beside it, and of its data."""
    return size([*of_model(entry.path), *_read(options)])


def _digest(words: Sequence[str]) -> str:
    """Return a hash of the settings, and of the versions of what measures."""
    return hashlib.sha256(json.dumps([list(words), _versions()]).encode()).hexdigest()


@functools.cache
def _versions() -> dict[str, str]:
    found = {"onnxmem": __version__, "python": sys.version}
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _holds(task: Task) -> bool:
    out = Path(task.out)
    known = keeping.recall(out, task.name)
    return keeping.holds(out, known, task.digest, task.path, task.data)


@contextmanager
def _lease(out: Path) -> Iterator[str]:
    """Give a file that is there as long as the survey lives: tasks end when it is gone."""
    keeping.prepare(out, [])
    path = out.absolute() / keeping.RECORDS / f".living-{os.urandom(8).hex()}"
    write_all({str(path): b""})
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


Submit = Callable[[Task], "Future[Outcome]"]


@contextmanager
def _executor(given: Executor | None, workers: int, pool: Sequence[str]) -> Iterator[Submit]:
    """Give what starts tasks: threads that take a GPU each where there are any, or what is given.

    An executor of others stays open.
    """
    if given is not None:
        yield lambda task: given.submit(run_task, task)
        return
    free: queue.SimpleQueue[str] = queue.SimpleQueue()
    for number in range(workers):
        free.put(pool[number % len(pool)] if pool else "")
    with ThreadPoolExecutor(workers, thread_name_prefix="onnxmem-survey") as threads:
        yield lambda task: threads.submit(_with_gpu, task, free)


def _with_gpu(task: Task, free: queue.SimpleQueue[str]) -> Outcome:
    gpu = free.get()
    try:
        return run_task(task, gpu)
    finally:
        free.put(gpu)


def _run_all(todo: Sequence[Task], submit: Submit, total: int, listen: Listener) -> None:
    """Run tasks until each has ended, or died too often."""
    ended: queue.SimpleQueue[tuple[Task, Future[Outcome]]] = queue.SimpleQueue()
    running: dict[str, Future[Outcome]] = {}
    deaths = dict.fromkeys((task.name for task in todo), 0)

    def start(task: Task) -> None:
        future = running[task.name] = submit(task)
        future.add_done_callback(lambda done: ended.put((task, done)))

    done = total - len(todo)
    try:
        for task in todo:
            start(task)
        while running:
            task, future = ended.get()
            del running[task.name]
            outcome = _outcome(task, future)
            died = outcome.end == "died"
            deaths[task.name] += died
            if died and deaths[task.name] < ATTEMPTS:
                listen(Step(task.name, done, total, f"{_told(outcome.kept)}; once more"))
                start(task)
                continue
            done += 1
            _conclude(task, outcome)
            listen(Step(task.name, done, total, f"({done}/{total}) {_told(outcome.kept)}"))
    except BrokenExecutor as error:
        raise EnvironmentFailedError(f"the executor broke: {error}") from error
    finally:
        for future in running.values():
            future.cancel()
        if running and todo:
            Path(todo[0].lease).unlink(missing_ok=True)


def _outcome(task: Task, future: Future[Outcome]) -> Outcome:
    """Return how a task ended; one whose worker is gone died."""
    try:
        return future.result()
    except OnnxmemError:
        raise
    except (Exception, CancelledError) as error:  # noqa: BLE001 - executors raise what they like
        reason = f"its worker was lost ({type(error).__name__}: {printable(str(error), 300)})"
        return Outcome(Kept(failed(task, 4, reason), task.digest), "died")


def _conclude(task: Task, outcome: Outcome) -> None:
    """Keep the record of a model that is left after too many deaths."""
    if outcome.end == "died":
        row = outcome.kept.model
        reason = f"{row.reason}, {ATTEMPTS} times"
        keeping.keep(Path(task.out), Kept(failed(task, 4, reason), task.digest), {})


def _told(kept: Kept) -> str:
    """Return what became of a model, for a line of progress."""
    row = kept.model
    why = f": {row.reason}" if row.reason else ""
    return f"{row.name} {row.state} ({kept.seconds:.1f} s){why}"


def _publish(tasks: Sequence[Task], plan: Plan) -> SurveyReport:
    """Write the survey as its records tell it, again where another shard added one meanwhile."""
    while True:
        report = _gather(tasks, plan)
        write_all({str(plan.out / name): render_survey(report, k) for name, k in _OWN.items()})
        if _gather(tasks, plan) == report:
            return report


def _gather(tasks: Sequence[Task], plan: Plan) -> SurveyReport:
    known = [(task, keeping.recall(Path(task.out), task.name)) for task in tasks]
    rows = [
        one.model if one is not None and one.digest == task.digest else _waiting(task)
        for task, one in known
    ]
    return SurveyReport(
        schema=SURVEY_SCHEMA,
        tool=Tool("onnxmem", __version__),
        settings={"sources": list(plan.sources), "timeout": plan.timeout, "options": plan.options},
        models=tuple(rows),
        timings={task.name: one.seconds for task, one in known if one is not None},
    )


def _waiting(task: Task) -> SurveyedModel:
    return SurveyedModel(task.name, task.path, task.data)
