"""`onnxmem inspect`: every ReLU site, its feature axis, its cut, and what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from onnxmem import report as formats
from onnxmem.errors import UsageError

from .declared import (
    bind_option,
    exact_option,
    json_option,
    kind_option,
    sandbox_option,
    timeout_option,
    trust_links_option,
    verbose_option,
)
from .folders import check_keeps
from .lines import patience
from .offered import devices
from .options import take_bind
from .parameters import FilePath, Word
from .sandboxed import SandboxedCommand
from .streams import tell

if TYPE_CHECKING:
    from onnxmem.inspecting import Inspection, Trial

_PIPED_WIDTH = 160
"""Columns of the table where no terminal bounds them, so that names are in one piece."""


@click.command("inspect", cls=SandboxedCommand)
@click.argument("model", type=FilePath())
@click.option("--verify", is_flag=True, help="Run every cut and compare it with the model.")
@click.option(
    "--data",
    type=FilePath(),
    metavar="DATA",
    help="Samples, or test_data_set_* folders. Default: random.",
)
@bind_option
@trust_links_option
@click.option("--output-name", metavar="NAME", help="The only output that the tails compute.")
@kind_option
@click.option(
    "--device",
    type=Word(devices),
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]",
)
@exact_option
@timeout_option
@sandbox_option
@click.option(
    "--allow-none", is_flag=True, help="Exit with 0 where the model has no activation to cut at."
)
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors and `-` outputs.")
@verbose_option
def command(
    model: str,
    verify: bool,
    data: str | None,
    bind: tuple[str, ...],
    output_name: str | None,
    kind: tuple[str, ...],
    device: str,
    exact: bool,
    allow_none: bool,
    json_path: str | None,
    quiet: bool,
) -> int:
    """Show every activation of MODEL: where its features lie, and what a cut there needs.

    Exits with 0 if a site can be cut, and with 3 if there is none, or if --verify finds a cut
    whose parts do not give what the model gives, or that onnxruntime refuses, or if the model
    does not give what --data holds as output_0.pb, ...
    """
    from onnxmem.inspecting import inspect

    if data is not None and not verify:
        raise UsageError("--data is for --verify, which runs every cut; add --verify")
    if json_path is not None:
        check_keeps([model, *([data] if data else [])], json_path, models=[model])
        formats.check_writable(json_path)
    trial = _trial(data, device, exact) if verify else None
    with patience(model, "running every cut" if verify else "reading the graph", quiet=quiet):
        inspection = inspect(
            model,
            kinds=kind,
            bind=take_bind(bind),
            output_name=output_name,
            trial=trial,
        )
    if json_path is not None:
        formats.write(inspection.to_json(), json_path)
    _present(inspection, quiet=quiet, to_stdout=json_path == "-")
    return 0 if allow_none and not inspection.sites else inspection.exit_code


def _trial(data: str | None, device: str, exact: bool) -> Trial:
    """Return what to run: samples, the test cases in a folder, or random inputs."""
    from onnxmem.data import load as load_data
    from onnxmem.graph import recorded_folders
    from onnxmem.inspecting import Trial

    if data is None:
        return Trial(None, device, exact)
    if recorded := recorded_folders(data):
        return Trial(None, device, exact, recorded)
    return Trial(load_data(data), device, exact)


def _present(inspection: Inspection, *, quiet: bool, to_stdout: bool) -> None:
    if not quiet and not to_stdout and inspection.sites:
        from .console import show
        from .tables import inspection_table

        show(inspection_table(inspection), piped_width=_PIPED_WIDTH)
    if not quiet or inspection.exit_code:
        tell(f"onnxmem: {inspection.verdict}")
