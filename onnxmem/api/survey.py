"""One call that audits many models, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from onnxmem.api.results import SurveyReport
from onnxmem.errors import UsageError
from onnxmem.executors.cluster import connect
from onnxmem.surveying.manifest import Entry, make_entries, read_entries
from onnxmem.surveying.options import unified
from onnxmem.surveying.survey import Plan, Step
from onnxmem.surveying.survey import survey as _survey

Models = str | Path | Iterable[str | Path | Mapping[str, Any]]
"""A manifest, a pattern, a folder, or several models."""


def survey(
    models: Models,
    data: str | Path | None = None,
    *,
    out: str | Path = "survey",
    workers: int | None = None,
    executor: Executor | None = None,
    scheduler: str | None = None,
    timeout: float | None = None,
    shard: tuple[int, int] = (1, 1),
    progress: Callable[[Step], None] | None = None,
    **options: Any,
) -> SurveyReport:
    """Audit many models, each in a process of its own, and write one page over all.

    A model that cannot be audited, takes too long or kills its process gets its line, and the
    others go on. The same call goes on where it was: a model whose files, settings and versions
    are unchanged is not audited again.

    Args:
        models: a manifest (TOML or CSV), a pattern, a folder, or several of: paths, and
            dictionaries with `path`, `data` and options of `onnxmem audit`.
        data: of all models that name none of their own: a path.
        out: the folder for NAME.json and NAME.html of each model, survey.json and index.html.
        workers: models at a time; None: one on each GPU, or one.
        executor: a `concurrent.futures.Executor` that hands models to processes, on this machine or
            on others that have the same files under the same paths. It stays open.
        scheduler: the address of a Dask scheduler, whose cluster is the executor.
        timeout: seconds that a model may take; then its audit is ended.
        shard: which of how many parts of the models to audit, from (1, n) on.
        progress: called whenever a model ends.
        options: of every audit, named as those of the command line, such as `per_class=10` or
            `fail_under={"nmf.mixed": 0.5}`; they hold over those of the manifest.

    Returns:
        The survey: `found.models` has a row for each model, `found.exit_code` is the worst of them.

    Raises:
        UsageError: an option that no audit has, or an entry without data.
        DataError: a manifest cannot be read.
        EnvironmentFailedError: the executor broke, or no scheduler answers.
    """
    chosen = [one for one in (workers, executor, scheduler) if one is not None]
    if len(chosen) > 1:
        raise UsageError("workers, executor and scheduler exclude each other; give one")
    entries = _entries(models)
    if data is not None:
        entries = [replace(e, options={"data": str(data), **e.options}) for e in entries]
    plan = Plan(
        out=Path(out),
        options=unified(options, "options"),
        workers=workers,
        timeout=timeout,
        shard=shard,
        sources=(str(models),) if isinstance(models, (str, Path)) else (),
    )
    given = nullcontext(executor) if scheduler is None else connect(scheduler)
    with given as chosen_executor:
        report = _survey(entries, plan, chosen_executor, progress or (lambda step: None))
    return SurveyReport.of(report)


def _entries(models: Models) -> list[Entry]:
    """Return models, of whatever form, in their order.

    Raises:
        UsageError: there is none.
    """
    if isinstance(models, (str, Path)):
        return read_entries([models])
    found: list[Entry] = []
    for one in models:
        if isinstance(one, Mapping):
            found += make_entries([one], Path(), "models")
        else:
            found += read_entries([one])
    if not found:
        raise UsageError("there is no model to survey; give one at least")
    return found
