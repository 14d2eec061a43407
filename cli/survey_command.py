"""`onnxmem survey`: many models, each audited by a process of its own, and one page over all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from onnxmem import report as formats
from onnxmem.errors import UsageError
from onnxmem.text import printable

from .configured import ConfiguredCommand
from .declared import survey_options
from .entry import INTERRUPTED, Run, say_settings
from .options import check_settings
from .parameters import FilePath
from .streams import tell

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from onnxmem.records import SurveyReport
    from onnxmem.surveying.survey import Plan

_OUTPUTS = ("markdown", "junit", "sarif", "attest", "bom", "samples_path")
"""Outputs of a single audit that a configuration may set, and a survey does not keep."""


@click.command("survey", cls=ConfiguredCommand)
@click.argument("models", nargs=-1, required=True, type=FilePath(), metavar="MANIFEST...")
@survey_options
def command(models: tuple[str, ...], **options: Any) -> int:
    """Audit all models of MANIFEST, each by itself, and write one page over all.

    MANIFEST is a TOML file with a [[model]] table for each model (path, data, and
    any option of audit), a CSV with such columns, a pattern, a folder, or models
    themselves. What is said here holds for all. The same command goes on where it
    was: a model whose files, settings and versions are unchanged is not audited
    again. Exits with the worst code of all models.
    """
    from onnxmem.surveying.manifest import read_entries
    from onnxmem.surveying.survey import Plan, own_exit_code, survey

    from .progress import progress

    check_settings(options)
    entries = read_entries(models)
    ctx = click.get_current_context()
    given = {
        key: value
        for key, value in options.items()
        if key not in _OWN and ctx.get_parameter_source(key) is ParameterSource.COMMANDLINE
    }
    if "without_samples" in given:
        given["no_samples"] = given.pop("without_samples")
    if not options["sandbox"]:
        given["sandbox"] = False
    if options["data"] is not None and "data" not in given:
        entries = [
            replace(one, options={"data": options["data"], **one.options}) for one in entries
        ]
    plan = Plan(
        out=Path(options["out"]),
        options=given,
        workers=options["workers"],
        timeout=options["timeout"],
        shard=_shard(options["shard"]),
        discarded=_discarded(ctx),
        sources=models,
    )
    quiet = options["quiet"]
    try:
        with _cluster(options) as executor, progress("survey", quiet=quiet) as listen:
            report = survey(entries, plan, executor, listen)
    except KeyboardInterrupt:
        tell("onnxmem: interrupted; the same command goes on where it was")
        return INTERRUPTED
    say_settings(quiet=quiet)
    _present(report, plan, quiet=quiet)
    return own_exit_code(report, plan)


_OWN = {"workers", "scheduler", "timeout", "shard", "out", "quiet", "verbose"}
"""Options that are not those of an audit."""


def _shard(text: str | None) -> tuple[int, int]:
    """Return which part of how many.

    Raises:
        UsageError: it is not written so.
    """
    if text is None:
        return 1, 1
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None:
        raise UsageError(f"--shard {text!r}: write it as I/N, such as 1/8")
    return int(match[1]), int(match[2])


def _discarded(ctx: click.Context) -> tuple[str, ...]:
    """Return the options of outputs that a configuration sets for every audit."""
    run = ctx.find_object(Run)
    values = {} if run is None else run.config.defaults.get("audit", {})
    return tuple(name.removesuffix("_path") for name in _OUTPUTS if name in values)


@contextmanager
def _cluster(options: dict[str, Any]) -> Iterator[Executor | None]:
    """Give the executor of a Dask cluster, None where none is wanted."""
    if options["scheduler"] is None:
        yield None
        return
    if options["workers"] is not None:
        raise UsageError("--workers and --scheduler exclude each other: the cluster has its own")
    from onnxmem.surveying.cluster import connect

    with connect(options["scheduler"]) as executor:
        yield executor


def _present(report: SurveyReport, plan: Plan, *, quiet: bool) -> None:
    """Show the table, or what failed alone."""
    if quiet:
        for one in report.models:
            if one.exit_code:
                tell(f"onnxmem: {one.name}: {one.state}: {printable(one.reason, 400)}")
        return
    from .console import show

    show(formats.terminal(report))
    tell(f"onnxmem: {printable(str(plan.out / 'index.html'), 400)} has all models")
