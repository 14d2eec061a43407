"""`onnxmem compare`: several models on the same samples, or several reports, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

import click
from click.core import ParameterSource

from onnxmem import graph
from onnxmem import report as formats
from onnxmem.auditing import Settings, choose_sites, run_audit
from onnxmem.comparison import Comparison, compare, with_common_labels
from onnxmem.data import load as load_data
from onnxmem.errors import UsageError
from onnxmem.records import Report
from onnxmem.report.words import printable

from . import console
from .folders import check_keeps
from .main import exit_code
from .options import Outputs, audit_options, take_outputs, take_settings, take_store
from .tables import comparison_markdown, comparison_table

OF_REPORTS = {"paths", "json", "html", "markdown", "exit_zero", "quiet", "verbose"}
"""What can be said on the command line where reports are compared."""


@click.command("compare")
@click.argument("paths", nargs=-1, type=click.Path(), metavar="MODEL... | REPORT.json...")
@click.option("--data", metavar="DATA", help="Labelled samples for models, an .npz archive.")
@audit_options
@click.pass_context
def command(
    context: click.Context, /, paths: tuple[str, ...], data: str | None, **options: Any
) -> int:
    """Compare several models on the same samples, or several REPORT.json that audits left.

    Layers are matched by their order and width; differences are those to the first model.

    Exits with the highest code of all models: 3 if any of them is inconclusive, even where a
    gate of another one failed, since then the comparison is incomplete; else 1 if a gate failed.
    """
    if len(paths) < 2:
        raise UsageError("there is nothing to compare; give two models or reports at least")
    given = _given(context)
    if single := given & {"junit", "sarif"}:
        raise UsageError(
            f"--{min(single)} takes the report of one model; run onnxmem audit for each"
        )
    outputs = take_outputs(options, ("json", "html", "markdown"))
    if _are_reports(paths, data, given):
        reports = _load_reports(paths, given)
        _check_outputs(paths, outputs)
    else:
        _check_outputs([*paths, str(data)], outputs)
        reports = _audit(paths, str(data), take_settings(options), options)
    _present(compare(reports), outputs, quiet=options["quiet"])
    return max(exit_code(report, exit_zero=options["exit_zero"]) for report in reports)


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


def _check_outputs(inputs: Sequence[str], outputs: Outputs) -> None:
    for path in outputs.paths.values():
        check_keeps(inputs, path)
        formats.check_writable(path)


def _audit(
    paths: Sequence[str], data: str, settings: Settings, options: dict[str, Any]
) -> list[Report]:
    """Audit one model after another, after a look at all of them."""
    baseline = formats.load(options["baseline"]) if options["baseline"] is not None else None
    arrays = load_data(data)
    for path in paths:
        choose_sites(graph.load(path, dict(settings.bind)), settings.layers)
    arrays, settings = with_common_labels(paths[0], arrays, settings)
    store, reports = take_store(options), []
    for path in paths:
        with console.progress(path, quiet=options["quiet"]) as listen:
            report = run_audit(
                path,
                arrays,
                settings,
                data_path=data,
                baseline=baseline,
                store=store,
                listen=listen,
            )
        reports.append(report)
    console.note_trouble(store, quiet=options["quiet"])
    return reports


def _present(comparison: Comparison, outputs: Outputs, *, quiet: bool) -> None:
    renderers: dict[str, Callable[[], str]] = {
        "json": comparison.to_json,
        "html": lambda: formats.side_by_side(comparison.reports),
        "markdown": lambda: comparison_markdown(comparison),
    }
    contents = {path: renderers[name]() for name, path in outputs.paths.items()}
    for path, content in contents.items():
        formats.write(content, path)
    if not quiet and not outputs.to_stdout:
        console.show(comparison_table(comparison))
    for name, report in zip(comparison.models, comparison.reports, strict=True):
        if not quiet:
            console.say(formats.sentence(report))
        elif report.exit_code:
            console.say(f"onnxmem: {name}: {report.verdict}: {printable(report.reason, 400)}")
