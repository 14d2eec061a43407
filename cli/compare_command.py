"""`onnxmem compare`: several models on the same samples, or several reports, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from onnxmem import report as formats
from onnxmem.errors import UsageError

from .conclusion import conclude_comparison, note_trouble
from .declared import audit_options
from .entry import exit_code, say_settings, waivers
from .folders import check_keeps
from .options import (
    FORMATS,
    Outputs,
    data_files,
    take_baseline,
    take_data,
    take_held_out,
    take_outputs,
    take_settings,
    take_source,
    take_store,
    take_thresholds,
)
from .parameters import FilePath
from .sandboxed import SandboxedConfiguredCommand

if TYPE_CHECKING:
    from onnxmem.auditing import Settings
    from onnxmem.records import Comparison, Report

GATES = {"fail_under", "baseline", "max_drop", "baseline_data", "classes", "metric", "exit_zero"}
OF_REPORTS = {"paths", "own_data", *FORMATS, *GATES, "quiet", "verbose"}
OF_REPORTS |= {"sandbox", "timeout"}
"""What can be said on the command line where reports are compared."""


@click.command("compare", cls=SandboxedConfiguredCommand)
@click.argument("paths", nargs=-1, type=FilePath(), metavar="MODEL... | REPORT.json...")
@click.option(
    "--data",
    type=FilePath(),
    multiple=True,
    metavar="DATA",
    help="Labelled samples for models; repeated, one for each.",
)
@click.option(
    "--own-data",
    is_flag=True,
    help="Compare reports of different samples or labels, unpaired.",
)
@audit_options
@click.pass_context
def command(
    context: click.Context, /, paths: tuple[str, ...], data: tuple[str, ...], **options: Any
) -> int:
    """Compare several models on the same samples, or several REPORT.json that audits left.

    Layers are matched by their order and width; differences are those to the first model, with
    intervals from paired resamples. With --data for each model, in their order, every one is
    judged on its own samples and labels, unpaired. Gates hold for every model; JUnit XML has a
    suite, SARIF a run for each.

    Exits with the highest code of all models: 3 if any of them is inconclusive, even where a
    gate of another one failed, since then the comparison is incomplete; else 1 if a gate failed.
    """
    if len(paths) < 2:
        raise UsageError("there is nothing to compare; give two models or reports at least")
    given, outputs = _given(context), take_outputs(options)
    judged = [options["baseline"]] if options["baseline"] is not None else []
    stored = _are_reports(paths, data, given)
    if stored:
        reports = _load_reports(paths, given)
        _check_outputs([*paths, *judged], outputs)
        comparison = _compare(reports, options)
    else:
        files = [file for one in data for file in data_files(one, options)]
        _check_outputs([*paths, *files, *judged], outputs, models=paths)
        settings = replace(take_settings(options), waivers=waivers())
        comparison = _audit(paths, data, settings, options)
    contents = {p: formats.render_comparison(comparison, n) for n, p in outputs.paths.items()}
    formats.write_all(contents)
    say_settings(quiet=options["quiet"], used=OF_REPORTS if stored else None)
    conclude_comparison(comparison, table=not outputs.to_stdout, quiet=options["quiet"])
    return exit_code(comparison, exit_zero=options["exit_zero"])


def _given(context: click.Context) -> set[str]:
    """Return the options that stand on the command line itself."""
    line = ParameterSource.COMMANDLINE
    return {name for name in context.params if context.get_parameter_source(name) is line}


def _are_reports(paths: Sequence[str], data: Sequence[str], given: set[str]) -> bool:
    stored = [path for path in paths if PurePath(path).suffix.lower() == ".json"]
    models = [path for path in paths if PurePath(path).suffix.lower() == ".onnx"]
    if stored and models:
        raise UsageError("models and reports cannot be compared with each other; audit the models")
    if models and not data:
        raise UsageError("models are compared on samples; give them with --data DATA")
    if stored and "data" in given:
        raise UsageError("reports are compared as they are; leave --data out, or give models")
    if models and "own_data" in given:
        raise UsageError("--own-data is for reports; give models a --data each")
    if models and len(data) not in (1, len(paths)):
        raise UsageError(
            f"{len(data)} times --data for {len(paths)} models; give it once, or for each model"
        )
    return bool(stored) or not data


def _load_reports(paths: Sequence[str], given: set[str]) -> list[Report]:
    if idle := sorted(given - OF_REPORTS):
        names = ", ".join(f"--{name.replace('_', '-')}" for name in idle)
        raise UsageError(f"reports are compared as they are: {names} cannot change them")
    return [formats.load(path) for path in paths]


def _compare(reports: Sequence[Report], options: dict[str, Any]) -> Comparison:
    """Put the reports side by side, with the gates of the command line beside their own."""
    from onnxmem.auditing import judge_again
    from onnxmem.comparing import compare

    thresholds = take_thresholds(options["fail_under"])
    baseline = take_baseline(options)
    judged = partial(
        judge_again,
        fail_under=thresholds,
        baseline=baseline,
        max_drop=options["max_drop"],
        metric=options["metric"],
        classes=options["classes"],
        other_data=options["baseline_data"] == "other",
    )
    return compare([judged(one) for one in reports], own_data=options["own_data"])


def _check_outputs(inputs: Sequence[str], outputs: Outputs, *, models: Sequence[str] = ()) -> None:
    for path in outputs.paths.values():
        check_keeps(inputs, path, models=models)
        formats.check_writable(path)


def _audit(
    paths: Sequence[str], data: Sequence[str], settings: Settings, options: dict[str, Any]
) -> Comparison:
    """Audit all models, with the same samples or each with its own, and liken them."""
    from onnxmem.comparing.together import compare_apart, compare_models

    from .progress import progress

    store, columns = take_store(options), [take_data(one, options) for one in data]
    sources = [take_source(one, options) for one in data]
    held_out = [take_held_out(options, one) for one in columns]
    how: dict[str, Any] = {
        "baseline": take_baseline(options),
        "store": store,
        "watch": partial(progress, quiet=options["quiet"]),
    }
    if len(data) > 1:
        found = compare_apart(paths, columns, settings, sources=sources, held_out=held_out, **how)
    else:
        found = compare_models(
            paths, columns[0], settings, source=sources[0], held_out=held_out[0], **how
        )
    note_trouble(store, quiet=options["quiet"])
    return found
