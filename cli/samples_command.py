"""`onnxmem samples`: which training samples are memorized, and the two numbers of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onnxmem import report as formats
from onnxmem.errors import InconclusiveError

from .conclusion import conclude_samples, note_trouble
from .declared import data_option, samples_options
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
)
from .parameters import FilePath
from .sandboxed import SandboxedConfiguredCommand

if TYPE_CHECKING:
    from onnxmem.records import SamplesReport

FORMATS = ("json", "html", "markdown", "csv", "parquet")


@click.command("samples", cls=SandboxedConfiguredCommand)
@click.argument("model", type=FilePath())
@data_option
@samples_options
def command(model: str, data: str, **options: Any) -> int:
    """Tell which training samples MODEL memorized, and how many.

    Every sample of DATA is held against its 20 nearest others, at the input and behind every
    activation. DATA should be all that the network was trained on, with the labels that it was
    trained on, in any form that `onnxmem audit` takes. Exits with 3 where nothing can be told.
    """
    from onnxmem.auditing import find_samples

    from .progress import progress

    settings, outputs = take_evidence_settings(options), take_outputs(options, FORMATS)
    for path in outputs.paths.values():
        check_keeps([model, *data_files(data, options)], path, models=[model])
        formats.check_writable(path)
    store = take_store(options)
    with progress(model, quiet=options["quiet"]) as listen:
        columns = take_data(data, options)
        report = find_samples(
            model,
            columns,
            settings,
            held_out=take_held_out(options, columns),
            source=take_source(data, options),
            pictures="html" in outputs.paths,
            store=store,
            listen=listen,
        )
    note_trouble(store, quiet=options["quiet"])
    say_settings(quiet=options["quiet"])
    _present(report, outputs, quiet=options["quiet"])
    return report.exit_code


def _present(report: SamplesReport, outputs: Outputs, *, quiet: bool) -> None:
    """Write the files, and show the tables unless stdout is taken.

    Raises:
        InconclusiveError: nothing can be told; the files are written all the same.
    """
    formats.write_all(
        {path: formats.render_samples(report, name) for name, path in outputs.paths.items()}
    )
    if report.network is None:
        raise InconclusiveError(report.reason)
    conclude_samples(report, table=not outputs.to_stdout, quiet=quiet)
