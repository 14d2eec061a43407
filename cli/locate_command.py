"""`onnxmem locate`: in which layers a network memorizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onnxmem import report as formats
from onnxmem.errors import InconclusiveError

from .conclusion import conclude_locate, note_trouble
from .declared import data_option, locate_options
from .entry import say_settings
from .folders import check_keeps
from .options import (
    Outputs,
    data_files,
    take_data,
    take_locate_settings,
    take_outputs,
    take_source,
    take_store,
    take_suspects,
)
from .parameters import FilePath
from .sandboxed import SandboxedConfiguredCommand

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

FORMATS = ("json", "html", "markdown", "png", "svg")


@click.command("locate", cls=SandboxedConfiguredCommand)
@click.argument("model", type=FilePath())
@data_option
@locate_options
def command(model: str, data: str, **options: Any) -> int:
    """Tell in which layers MODEL memorized samples.

    With a checkpoint of MODEL, one segment after the other is taken from it: where accuracy falls
    on the suspects and stays on all others, they were learned in that segment. DATA are all samples
    that the network was trained on, as `onnxmem samples` takes them. Exits with 3 where nothing can
    be told.
    """
    from onnxmem.auditing.locate import locate

    from .progress import progress

    settings, outputs = take_locate_settings(options), take_outputs(options, FORMATS)
    suspects, store = take_suspects(options), take_store(options)
    read = [model, *data_files(data, options)] + ([suspects.source] if suspects else [])
    models = [model, *filter(None, [options["checkpoint"]])]
    for path in outputs.paths.values():
        check_keeps(read, path, models=models)
        formats.check_writable(path)
    with progress(model, quiet=options["quiet"]) as listen:
        report = locate(
            model,
            take_data(data, options),
            settings,
            checkpoint=options["checkpoint"],
            suspects=suspects,
            source=take_source(data, options),
            store=store,
            listen=listen,
        )
    note_trouble(store, quiet=options["quiet"])
    say_settings(quiet=options["quiet"])
    _present(report, outputs, quiet=options["quiet"])
    return report.exit_code


def _present(report: LocateReport, outputs: Outputs, *, quiet: bool) -> None:
    """Write the files, and show the tables unless stdout is taken.

    Raises:
        InconclusiveError: nothing can be told; the files are written all the same.
    """
    formats.write_all(
        {path: formats.render_locate(report, name) for name, path in outputs.paths.items()}
    )
    if report.reason:
        raise InconclusiveError(report.reason)
    conclude_locate(report, table=not outputs.to_stdout, quiet=quiet)
