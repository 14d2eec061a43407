"""`onnxmem expose`: the model with its ReLU outputs as outputs of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onnxmem import report as formats
from onnxmem.errors import NoSiteError, UsageError
from onnxmem.text import printable

from .declared import kind_option, part_options
from .folders import check_keeps, publish_files, staging
from .options import take_bind
from .parameters import FilePath
from .sandboxed import SandboxedCommand
from .streams import tell

if TYPE_CHECKING:
    from onnxmem.graph import Model, Site


@click.command("expose", cls=SandboxedCommand)
@click.argument("model", type=FilePath())
@click.option(
    "-o",
    "--output",
    type=FilePath(),
    required=True,
    metavar="FILE",
    help="Where to write the model.",
)
@click.option("--layers", multiple=True, metavar="GLOB", help="Only these tensors. Repeatable.")
@kind_option
@part_options
def command(
    model: str,
    output: str,
    layers: tuple[str, ...],
    kind: tuple[str, ...],
    bind: tuple[str, ...],
    data: str | None,
    quiet: bool,
) -> int:
    """Write MODEL to FILE with every supported activation as an additional output.

    Weights that MODEL keeps in other files go to FILE.data.
    """
    from onnxmem import graph
    from onnxmem.data import load as load_data
    from onnxmem.inspecting.parts import require_runnable, with_known_types
    from onnxmem.network.sites import choose_sites
    from onnxmem.runtime.binding import blames_bind

    target = Path(os.path.realpath(output))
    _check_target(output, model)
    arrays = None if data is None else load_data(data)
    values = take_bind(bind)
    network = graph.load(model, values)
    sites = choose_sites(network, layers, kind)
    tensors = [site.tensor for site in sites if site.status == "ok"]
    if not tensors:
        raise NoSiteError(f"{model}: nothing can be exposed: {sites[0].reason}")
    with blames_bind(values):
        require_runnable(network)
        part = with_known_types(network, graph.expose(network, tensors), arrays)
    with staging(target) as folder:
        graph.save(part, folder / target.name)
        _check_weights(folder, target, network)
        publish_files(folder, target)
    if not quiet:
        _tell(sites, output)
    return 0


def _tell(sites: Sequence[Site], output: str) -> None:
    left_out = [site for site in sites if site.status != "ok"]
    for site in left_out:
        tell(f"onnxmem: left out {printable(site.tensor)}: {printable(site.reason, 300)}")
    count = len(sites) - len(left_out)
    tell(f"onnxmem: wrote {printable(output, 200)} with {count} of {len(sites)} sites as outputs")


def _check_target(output: str, model: str) -> None:
    if output == "-":
        raise UsageError("a model cannot go to stdout; give -o FILE")
    check_keeps([model], output, models=[model])
    formats.check_writable(output)


def _check_weights(folder: Path, target: Path, network: Model) -> None:
    """Check that no file of weights of the model itself is replaced."""
    for path in folder.iterdir():
        old = target.parent / path.name
        if path.name != target.name and old.exists() and old.parent == network.weights:
            raise UsageError(f"{old} is there already, beside the model; give another FILE")
