"""`onnxmem report`: a stored JSON report in any other format."""

from __future__ import annotations

from typing import Any, Literal

import click

from onnxmem import report as formats
from onnxmem.records import Report

from . import console
from .folders import check_keeps
from .main import exit_code
from .options import FORMATS, output_options, take_outputs

PICTURES: dict[str, Literal["png", "svg"]] = {"png": "png", "svg": "svg"}


@click.command("report")
@click.argument("stored", metavar="REPORT.json", type=click.Path())
@click.option("--png", metavar="FILE", help="Write the charts as a PNG picture; - is stdout.")
@click.option("--svg", metavar="FILE", help="Write the charts as an SVG picture; - is stdout.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 if a gate failed; changes nothing else.")
@output_options
def command(stored: str, exit_zero: bool, quiet: bool, **options: Any) -> int:
    """Write REPORT.json, which an audit left, in other formats, or show its table.

    Exits with the code of the stored verdict, as the audit did.
    """
    outputs = take_outputs(options, (*FORMATS, *PICTURES))
    for name, path in outputs.paths.items():
        if name != "json":
            check_keeps([stored], path)
    report = formats.load(stored)
    for path in outputs.paths.values():
        formats.check_writable(path)
    contents = {path: _render(report, name) for name, path in outputs.paths.items()}
    for path, content in contents.items():
        formats.write(content, path)
    console.conclude(report, table=not outputs.paths, quiet=quiet)
    return exit_code(report, exit_zero=exit_zero)


def _render(report: Report, name: str) -> str | bytes:
    if name in PICTURES:
        return formats.image(report, PICTURES[name])
    return formats.render(report, name)
