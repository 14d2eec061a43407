"""`onnxmem audit`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onnxmem import report as formats
from onnxmem.errors import InconclusiveError, UsageError

from .conclusion import conclude, note_trouble
from .configured import ConfiguredCommand
from .entry import exit_code, say_settings
from .folders import check_keeps
from .options import (
    Outputs,
    audit_options,
    data_files,
    take_baseline,
    take_data,
    take_outputs,
    take_settings,
    take_source,
    take_store,
)
from .parameters import FilePath
from .streams import tell

if TYPE_CHECKING:
    from onnxmem.auditing import Plan
    from onnxmem.records import Report


@click.command("audit", cls=ConfiguredCommand)
@click.argument("model", type=FilePath())
@click.option("--data", type=FilePath(), required=True, metavar="DATA", help="Labelled samples.")
@click.option("--plan", is_flag=True, help="Only say what the audit would cost.")
@audit_options
def command(model: str, data: str, plan: bool, **options: Any) -> int:
    """Score every ReLU layer of MODEL by how well it survives compression.

    DATA holds one array for each input of the model (or x) and the labels y that
    the network was trained on: an .npz archive, a folder of .npy files, one .npy
    array (with --labels), a Parquet or Arrow file, or a folder with a subfolder
    of images for each class.
    """
    from onnxmem.auditing import plan_audit, run_audit
    from onnxmem.report.command import command_line

    from .progress import progress

    settings, outputs = take_settings(options), take_outputs(options)
    baseline = take_baseline(options)
    inputs = [
        model,
        *data_files(data, options),
        *([options["baseline"]] if options["baseline"] else []),
    ]
    for path in outputs.paths.values():
        check_keeps(inputs, path, models=[model])
        formats.check_writable(path)
    if plan:
        if set(outputs.paths) - {"json"}:
            raise UsageError("--plan makes no report; of the formats it can write --json alone")
        planned = plan_audit(model, take_data(data, options), settings, baseline=baseline)
        return _show(planned, outputs, quiet=options["quiet"])
    store = take_store(options)
    with progress(model, quiet=options["quiet"]) as listen:
        report = run_audit(
            model,
            take_data(data, options),
            settings,
            source=take_source(data, options),
            baseline=baseline,
            store=store,
            listen=listen,
        )
    note_trouble(store, quiet=options["quiet"])
    say_settings(quiet=options["quiet"] or not report.measured)
    present(report, outputs, quiet=options["quiet"])
    if options["verbose"]:
        tell(command_line(report))
    return exit_code(report, exit_zero=options["exit_zero"])


def _show(planned: Plan, outputs: Outputs, *, quiet: bool) -> int:
    """Show what the audit would cost, and write it where --json names a file."""
    if "json" in outputs.paths:
        formats.write(planned.to_json(), outputs.paths["json"])
    if not quiet and not outputs.to_stdout:
        from .console import show
        from .plan_table import plan_table

        show(plan_table(planned))
    return 0


def present(report: Report, outputs: Outputs, *, quiet: bool) -> None:
    """Write the files, and show the table unless stdout is taken.

    Raises:
        InconclusiveError: the network could not be audited; its files are written all the same.
    """
    formats.write_all({path: formats.render(report, name) for name, path in outputs.paths.items()})
    if not report.measured:
        raise InconclusiveError(report.reason)
    conclude(report, table=not outputs.to_stdout, quiet=quiet)
