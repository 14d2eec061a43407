"""`onnxmem audit`: the main job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from onnxmem import report as formats
from onnxmem.errors import InconclusiveError, UsageError

from .conclusion import conclude, note_trouble, say_waivers
from .declared import audit_options, data_option, statement_options
from .entry import exit_code, say_settings, waivers
from .folders import check_keeps
from .grouped import OUTPUTS, RUNNING, GroupedOption
from .options import (
    FORMATS,
    STATEMENTS,
    Outputs,
    data_files,
    take_baseline,
    take_data,
    take_held_out,
    take_outputs,
    take_settings,
    take_source,
)
from .parameters import FilePath, OutputFile
from .remembered import Remembered, remembered, tell_known
from .sandboxed import SandboxedConfiguredCommand
from .spreading import spread_first, spread_options
from .streams import tell

if TYPE_CHECKING:
    from onnxmem.auditing import Plan
    from onnxmem.records import Evidence, Report


@click.command("audit", cls=SandboxedConfiguredCommand)
@click.argument("model", type=FilePath())
@data_option
@click.option(
    "--plan",
    is_flag=True,
    cls=GroupedOption,
    group=RUNNING,
    help="Only say what the audit would cost.",
)
@click.option(
    "--samples",
    "samples_path",
    type=OutputFile(),
    cls=GroupedOption,
    group=OUTPUTS,
    metavar="FILE",
    help="Write all samples, a row each: .csv or .parquet.",
)
@statement_options
@spread_options
@audit_options
def command(model: str, data: str, plan: bool, **options: Any) -> int:
    """Score every layer of MODEL by how well its activations survive compression.

    Layers are the ReLUs, or other activations where there is no ReLU (--kind).

    DATA holds one array for each input of the model (or x) and the labels y that
    the network was trained on: an .npz archive, a folder of .npy files, one .npy
    array (with --labels), a Parquet or Arrow file, or a folder with a subfolder
    of images for each class.
    """
    memory = remembered(model, data, options, wanted=not plan and options["samples_path"] is None)
    if memory.report is not None:
        outputs = _take_outputs(model, data, options, {}, models=[])
        tell_known(memory.report, model, quiet=options["quiet"])
        return _end(memory.report, outputs, {}, memory, options)
    from onnxmem.auditing import plan_audit, run_audit

    from .progress import progress

    settings = replace(take_settings(options), waivers=waivers())
    table = _check_table(options["samples_path"], options)
    outputs = _take_outputs(model, data, options, table, models=[model])
    baseline = take_baseline(options)
    if plan:
        if set(outputs.paths) - {"json"}:
            raise UsageError("--plan makes no report; of the formats it can write --json alone")
        with progress(model, quiet=options["quiet"]) as listen:
            columns = take_data(data, options)
            planned = plan_audit(
                model, columns, settings, baseline=baseline, store=memory.store, listen=listen
            )
        return _show(planned, outputs, quiet=options["quiet"])
    seen = _Witness()
    with progress(model, quiet=options["quiet"]) as listen:
        columns = take_data(data, options)
        held_out = take_held_out(options, columns)
        with spread_first(
            model,
            data,
            options,
            settings=settings,
            held_out=held_out,
            baseline=baseline,
            store=memory.store,
            listen=listen,
        ) as store:
            report = run_audit(
                model,
                columns,
                settings,
                held_out=held_out,
                source=take_source(data, options),
                baseline=baseline,
                store=store,
                listen=listen,
                witness=seen,
            )
    memory.keep(report)
    return _end(report, outputs, seen.written(table), memory, options)


def _end(
    report: Report,
    outputs: Outputs,
    others: dict[str, str | bytes],
    memory: Remembered,
    options: dict[str, Any],
) -> int:
    """Write and show the report; return the exit code."""
    note_trouble(memory.store, quiet=options["quiet"])
    say_settings(quiet=options["quiet"] or not report.measured)
    present(report, outputs, others, quiet=options["quiet"], render=memory.render)
    if options["verbose"]:
        from onnxmem.report.command import command_line

        tell(command_line(report))
    return exit_code(report, exit_zero=options["exit_zero"])


def _take_outputs(
    model: str,
    data: str,
    options: dict[str, Any],
    table: dict[str, str],
    *,
    models: list[str],
) -> Outputs:
    """Return where outputs go, once it is known that they can be written there.

    `models` are those that may keep weights in other files.

    Raises:
        UsageError: one would overwrite what is read, or attest no gate.
        OutputError: one cannot be written.
    """
    outputs = take_outputs(options, (*FORMATS, *STATEMENTS))
    gated = options["fail_under"] or options["fail_over"] or options["max_drop"] is not None
    if "attest" in outputs.paths and not gated:
        raise UsageError(
            "--attest says whether gates passed, and none is set; give --fail-under or another"
        )
    baseline = [options["baseline"]] if options["baseline"] else []
    inputs = [model, *data_files(data, options), *baseline]
    for path in (*outputs.paths.values(), *table):
        check_keeps(inputs, path, models=models)
        formats.check_writable(path)
    return outputs


class _Witness:
    """Keeps the evidence of all samples, for a table of them."""

    def __init__(self) -> None:
        self.evidence: Evidence | None = None

    def __call__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def written(self, table: dict[str, str]) -> dict[str, str | bytes]:
        """Return the table of all samples for each path that it goes to, by its format."""
        if self.evidence is None:
            return {}
        return {p: formats.samples_table(self.evidence, name) for p, name in table.items()}


def _check_table(path: str | None, options: dict[str, Any]) -> dict[str, str]:
    """Return the format of the table of all samples by its path, nothing where none is wanted.

    Raises:
        UsageError: the format cannot be told, or there will be no samples.
    """
    if path is None:
        return {}
    ending = PurePath(path).suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise UsageError(f"--samples {path}: give a name that ends in .csv or .parquet")
    if options["without_samples"]:
        raise UsageError("--samples FILE and --no-samples exclude each other")
    return {path: ending[1:]}


def _show(planned: Plan, outputs: Outputs, *, quiet: bool) -> int:
    """Show what the audit would cost, and write it where --json names a file."""
    if "json" in outputs.paths:
        formats.write(planned.to_json(), outputs.paths["json"])
    if not quiet and not outputs.to_stdout:
        from .console import show
        from .plan_table import plan_table

        show(plan_table(planned))
    return 0


def present(
    report: Report,
    outputs: Outputs,
    others: dict[str, str | bytes],
    *,
    quiet: bool,
    render: Callable[[Report, str], str] = formats.render,
) -> None:
    """Write the files, with others, and show the table unless stdout is taken.

    Raises:
        InconclusiveError: the network could not be audited; its files are written all the same.
    """
    written = {path: render(report, name) for name, path in outputs.paths.items()}
    formats.write_all(written | others)
    if not report.measured:
        say_waivers(report)
        raise InconclusiveError(report.reason)
    conclude(report, table=not outputs.to_stdout, quiet=quiet)
