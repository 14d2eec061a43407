"""`onnxmem track`: the course of training, and the checkpoint to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onnxmem import report as formats

from .conclusion import conclude_track, note_trouble
from .declared import data_option, track_options
from .entry import say_settings
from .folders import check_keeps
from .options import (
    Outputs,
    data_files,
    take_data,
    take_evidence_settings,
    take_held_out,
    take_outputs,
    take_source,
    take_store,
    take_suspects,
)
from .parameters import FilePath
from .sandboxed import SandboxedConfiguredCommand

if TYPE_CHECKING:
    from onnxmem.records import TrackReport

FORMATS = ("json", "html", "markdown", "csv", "png", "svg")


@click.command("track", cls=SandboxedConfiguredCommand)
@click.argument("checkpoints", nargs=-1, required=True, type=FilePath(), metavar="CHECKPOINT...")
@data_option
@track_options
def command(checkpoints: tuple[str, ...], data: str, **options: Any) -> int:
    """Tell which CHECKPOINT of a course of training to keep, and when samples were fitted.

    CHECKPOINTs are ONNX files in the order of training, folders, or patterns in quotes, whose files
    are taken in natural order: epoch_2 before epoch_10. All have one architecture. DATA are the
    training samples with the labels that the network was trained on. The choice goes by held-out
    inputs, whose labels are not needed.
    """
    from onnxmem.tracking import find_checkpoints, track

    from .progress import progress

    settings, outputs = take_evidence_settings(options), take_outputs(options, FORMATS)
    paths, suspects = find_checkpoints(checkpoints), take_suspects(options)
    read = [*paths, *data_files(data, options)] + ([suspects.source] if suspects else [])
    for path in outputs.paths.values():
        check_keeps(read, path, models=paths)
        formats.check_writable(path)
    store = take_store(options)
    with progress("track", quiet=options["quiet"]) as listen:
        columns = take_data(data, options)
        report = track(
            paths,
            columns,
            settings,
            held_out=take_held_out(options, columns),
            given=suspects,
            source=take_source(data, options),
            store=store,
            listen=listen,
        )
    note_trouble(store, quiet=options["quiet"])
    say_settings(quiet=options["quiet"])
    _present(report, outputs, quiet=options["quiet"])
    return report.exit_code


def _present(report: TrackReport, outputs: Outputs, *, quiet: bool) -> None:
    """Write the files, and show the tables unless stdout is taken."""
    formats.write_all(
        {path: formats.render_track(report, name) for name, path in outputs.paths.items()}
    )
    conclude_track(report, table=not outputs.to_stdout, quiet=quiet)
