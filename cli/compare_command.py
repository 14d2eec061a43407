"""`onnxmem compare`: several models on the same samples, or several reports, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from onnxmem import report as formats
from onnxmem.errors import UsageError

from .conclusion import conclude_comparison, note_trouble
from .configured import ConfiguredCommand
from .declared import audit_options
from .entry import exit_code, say_settings
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

if TYPE_CHECKING:
    from onnxmem.auditing import Settings
    from onnxmem.records import Comparison, Report

GATES = {"fail_under", "baseline", "max_drop", "exit_zero"}
OF_REPORTS = {"paths", *FORMATS, *GATES, "quiet", "verbose"}
"""What can be said on the command line where reports are compared."""


@click.command("compare", cls=ConfiguredCommand)
@click.argument("paths", nargs=-1, type=FilePath(), metavar="MODEL... | REPORT.json...")
@click.option("--data", type=FilePath(), metavar="DATA", help="Labelled samples for models.")
@audit_options
@click.pass_context
def command(
    context: click.Context, /, paths: tuple[str, ...], data: str | None, **options: Any
) -> int:
    """Compare several models on the same samples, or several REPORT.json that audits left.

    Layers are matched by their order and width; differences are those to the first model, with
    intervals from paired resamples. Gates hold for every model; JUnit XML has a suite, SARIF a
    run for each.

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
        _check_outputs([*paths, *data_files(str(data), options), *judged], outputs, models=paths)
        comparison = _audit(paths, str(data), take_settings(options), options)
    contents = {p: formats.render_comparison(comparison, n) for n, p in outputs.paths.items()}
    formats.write_all(contents)
    say_settings(quiet=options["quiet"], used=OF_REPORTS if stored else None)
    conclude_comparison(comparison, table=not outputs.to_stdout, quiet=options["quiet"])
    return exit_code(comparison, exit_zero=options["exit_zero"])


def _given(context: click.Context) -> set[str]:
    """Return the options that stand on the command line itself."""
    line = ParameterSource.COMMANDLINE
    return {name for name in context.params if context.get_parameter_source(name) is line}


def _are_reports(paths: Sequence[str], data: str | None, given: set[str]) -> bool:
    stored = [path for path in paths if PurePath(path).suffix.lower() == ".json"]
    models = [path for path in paths if PurePath(path).suffix.lower() == ".onnx"]
    if stored and models:
        raise UsageError("models and reports cannot be compared with each other; audit the models")
    if models and data is None:
        raise UsageError("models are compared on samples; give them with --data DATA")
    if stored and "data" in given:
        raise UsageError("reports are compared as they are; leave --data out, or give models")
    return bool(stored) or data is None


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
    return compare([judge_again(one, thresholds, baseline, options["max_drop"]) for one in reports])


def _check_outputs(inputs: Sequence[str], outputs: Outputs, *, models: Sequence[str] = ()) -> None:
    for path in outputs.paths.values():
        check_keeps(inputs, path, models=models)
        formats.check_writable(path)


def _audit(
    paths: Sequence[str], data: str, settings: Settings, options: dict[str, Any]
) -> Comparison:
    """Audit all models with the same samples, and liken them to each other."""
    from onnxmem.comparing.together import compare_models

    from .progress import progress

    baseline = take_baseline(options)
    store = take_store(options)
    columns = take_data(data, options)
    comparison = compare_models(
        paths,
        columns,
        settings,
        source=take_source(data, options),
        held_out=take_held_out(options, columns),
        baseline=baseline,
        store=store,
        watch=partial(progress, quiet=options["quiet"]),
    )
    note_trouble(store, quiet=options["quiet"])
    return comparison
