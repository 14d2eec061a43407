"""`onnxmem audit`: the main job."""

from __future__ import annotations

from typing import Any

import click

from onnxmem import report as formats
from onnxmem.auditing import run_audit
from onnxmem.records import Report
from onnxmem.report.command import command_line

from . import console
from .folders import check_keeps
from .main import exit_code, say_settings
from .options import (
    Outputs,
    audit_options,
    data_files,
    take_data,
    take_outputs,
    take_settings,
    take_store,
)


@click.command("audit")
@click.argument("model", type=click.Path())
@click.option("--data", required=True, metavar="DATA", help="Labelled samples.")
@audit_options
def command(model: str, data: str, **options: Any) -> int:
    """Score every ReLU layer of MODEL by how well it survives compression.

    DATA holds one array for each input of the model (or x) and the labels y that
    the network was trained on: an .npz archive, a folder of .npy files, one .npy
    array (with --labels), a Parquet or Arrow file, or a folder with a subfolder
    of images for each class.
    """
    settings, outputs = take_settings(options), take_outputs(options)
    baseline = formats.load(options["baseline"]) if options["baseline"] is not None else None
    inputs = [
        model,
        *data_files(data, options),
        *([options["baseline"]] if options["baseline"] else []),
    ]
    for path in outputs.paths.values():
        check_keeps(inputs, path, models=[model])
        formats.check_writable(path)
    store = take_store(options)
    with console.progress(model, quiet=options["quiet"]) as listen:
        report = run_audit(
            model,
            take_data(data, options),
            settings,
            data_path=data,
            baseline=baseline,
            store=store,
            listen=listen,
        )
    console.note_trouble(store, quiet=options["quiet"])
    say_settings(quiet=options["quiet"])
    present(report, outputs, quiet=options["quiet"])
    if options["verbose"]:
        console.say(command_line(report))
    return exit_code(report, exit_zero=options["exit_zero"])


def present(report: Report, outputs: Outputs, *, quiet: bool) -> None:
    """Write the files, and show the table unless stdout is taken."""
    for name, path in outputs.paths.items():
        formats.write(formats.render(report, name), path)
    console.conclude(report, table=not outputs.to_stdout, quiet=quiet)
