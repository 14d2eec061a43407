"""`onnxmem report`: a stored JSON report in any other format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from onnxmem import report as formats

from .conclusion import (
    conclude,
    conclude_comparison,
    conclude_locate,
    conclude_samples,
    conclude_track,
)
from .declared import output_options, statement_options
from .entry import exit_code
from .folders import check_keeps
from .options import FORMATS, STATEMENTS, take_outputs
from .parameters import FilePath, OutputFile

if TYPE_CHECKING:
    from onnxmem.records import Comparison, LocateReport, Report, SamplesReport, TrackReport

PICTURES: dict[str, Literal["png", "svg"]] = {"png": "png", "svg": "svg"}


@click.command("report")
@click.argument("stored", metavar="REPORT.json", type=FilePath())
@click.option(
    "--png",
    type=OutputFile(),
    metavar="FILE",
    help="Write the charts as a PNG picture; - is stdout.",
)
@click.option(
    "--svg",
    type=OutputFile(),
    metavar="FILE",
    help="Write the charts as an SVG picture; - is stdout.",
)
@click.option(
    "--model-card",
    type=OutputFile(),
    metavar="FILE",
    help="Write the part of a Hugging Face model card; - is stdout.",
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 if a gate failed; changes nothing else.")
@statement_options
@output_options
def command(stored: str, exit_zero: bool, quiet: bool, **options: Any) -> int:
    """Write REPORT.json, which an audit left, in other formats, or show its table.

    It may be a comparison as well, which compare left, or what samples, locate or track left.
    Exits with the code of the stored verdict, as the audit did.
    """
    from onnxmem.records import Comparison, LocateReport, SamplesReport, TrackReport

    outputs = take_outputs(options, (*FORMATS, *STATEMENTS, "model_card", *PICTURES))
    for name, path in outputs.paths.items():
        if name != "json":
            check_keeps([stored], path)
    report = formats.load_stored(stored)
    for path in outputs.paths.values():
        formats.check_writable(path)
    contents = {path: _render(report, name) for name, path in outputs.paths.items()}
    formats.write_all(contents)
    if isinstance(report, SamplesReport):
        conclude_samples(report, table=not outputs.paths, quiet=quiet)
        return report.exit_code
    if isinstance(report, TrackReport):
        conclude_track(report, table=not outputs.paths, quiet=quiet)
        return report.exit_code
    if isinstance(report, LocateReport):
        conclude_locate(report, table=not outputs.paths, quiet=quiet)
        return report.exit_code
    if isinstance(report, Comparison):
        conclude_comparison(report, table=not outputs.paths, quiet=quiet)
    else:
        conclude(report, table=not outputs.paths, quiet=quiet)
    return exit_code(report, exit_zero=exit_zero)


def _render(
    report: Report | Comparison | SamplesReport | LocateReport | TrackReport, name: str
) -> str | bytes:
    from onnxmem.cache import lenient_store
    from onnxmem.records import Comparison, LocateReport, SamplesReport, TrackReport

    from .remembered import render

    if isinstance(report, SamplesReport):
        return formats.render_samples(report, name)
    if isinstance(report, LocateReport):
        return formats.render_locate(report, name)
    if isinstance(report, TrackReport):
        return formats.render_track(report, name)
    if name in PICTURES:
        return formats.image(report, PICTURES[name])
    if isinstance(report, Comparison):
        return formats.render_comparison(report, name)
    return render(report, name, lenient_store())
