"""An audit whose parts are measured by other processes first: `--workers`, `--scheduler`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .grouped import RUNNING, GroupedOption
from .options import held_out_path

if TYPE_CHECKING:
    from onnxmem.auditing import Listener, Settings
    from onnxmem.auditing.evidence import HeldOutSource
    from onnxmem.cache import Store
    from onnxmem.records import Report

F = TypeVar("F", bound=Callable[..., Any])


def spread_options(function: F) -> F:
    """Add the options of an audit that is spread over processes."""
    scheduler = click.option(
        "--scheduler",
        cls=GroupedOption,
        group=RUNNING,
        metavar="ADDRESS",
        help="Let the Dask cluster of this scheduler do so, such as tcp://host:8786.",
    )
    workers = click.option(
        "--workers",
        cls=GroupedOption,
        group=RUNNING,
        type=int,
        metavar="N",
        help="Processes that measure layers side by side. Equal results.",
    )
    return workers(scheduler(function))


@contextmanager
def spread_first(
    model: str,
    data: str,
    options: dict[str, Any],
    *,
    settings: Settings,
    held_out: HeldOutSource,
    baseline: Report | None,
    store: Store,
    listen: Listener,
) -> Iterator[Store]:
    """Give the store of an audit, with all in it that workers measured, where some are wanted.

    Raises:
        UsageError: both options are given, or no worker.
        EnvironmentFailedError: no scheduler answers.
        OutputError: the cache cannot be written.
    """
    if options["workers"] is None and options["scheduler"] is None:
        yield store
        return
    from onnxmem.spreading.chosen import chosen_executor
    from onnxmem.spreading.job import Reading, anywhere, make_job
    from onnxmem.spreading.places import meeting_place
    from onnxmem.spreading.spread import spread

    other = held_out_path(options, held_out)
    reading = Reading(
        path=anywhere(data),
        labels=options["labels"] and anywhere(options["labels"]),
        label_column=options["label_column"],
        class_names=options["class_names"] and anywhere(options["class_names"]),
        preprocess=tuple(map(anywhere, options["preprocess"])),
        held_out=other and anywhere(other),
        splits=held_out.splits,
    )
    with meeting_place(store, wanted=True) as shared:
        with chosen_executor(options["workers"], options["scheduler"]) as executor:
            assert executor is not None
            job = make_job(model, reading, settings, shared, options["workers"], baseline)
            spread(job, executor, listen)
        yield shared
