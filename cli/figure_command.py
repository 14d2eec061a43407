"""`onnxmem figure`: a figure of the paper, drawn anew, and whether its claim holds."""

from __future__ import annotations

import click

from onnxmem import report as formats
from onnxmem.errors import UsageError
from onnxmem.text import printable

from .conclusion import note_trouble
from .declared import (
    device_option,
    quiet_option,
    sandbox_option,
    timeout_option,
    verbose_option,
)
from .folders import check_keeps
from .offered import figures
from .options import take_store
from .parameters import FilePath, OutputFile, Word
from .sandboxed import SandboxedCommand
from .streams import tell


@click.command("figure", cls=SandboxedCommand)
@click.argument("name", type=Word(figures), metavar="NAME")
@click.argument("networks", nargs=-1, type=FilePath(), metavar="[MODEL]...")
@click.option(
    "--data",
    multiple=True,
    type=FilePath(),
    metavar="DATA",
    help="Samples of the MODELs with y and split, one for all or one for each. Without it MODELs "
    "are names of shipped networks or families.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile(),
    metavar="FILE",
    help="Picture or page, by its ending: .svg, .png or .html; - is SVG on stdout.",
)
@device_option
@timeout_option
@sandbox_option
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random choice.")
@click.option(
    "--cache/--no-cache",
    default=True,
    show_default=True,
    help="Keep what is measured, and take from there what was measured before.",
)
@quiet_option
@verbose_option
def command(
    name: str,
    networks: tuple[str, ...],
    data: tuple[str, ...],
    output: str,
    device: str,
    seed: int,
    cache: bool,
    quiet: bool,
) -> int:
    """Draw a figure of the paper, and judge its claim.

    NAME is fig1 to fig11, or table2. It is drawn of MODELs, which are files with --data, or shipped
    networks and families by their names; of some that ship where none is given. The claim is that
    of arXiv:1810.03372; what is found here is said with its numbers.
    """
    from onnxmem.figures import Bench, figure, given, kind_of, render, shipped

    from .progress import progress

    chosen, kind, store = figure(name), kind_of(output), take_store({"cache": cache})
    if data and not networks:
        raise UsageError("--data belongs to MODELs; give them too")
    check_keeps([*networks, *data] if data else [], output, models=networks if data else ())
    formats.check_writable(output)
    with progress(name, quiet=quiet) as listen:
        subjects = given(networks, data) if data else shipped(networks or chosen.networks)
        drawn = chosen.draw(Bench(device, seed, store, listen), subjects)
        content = render(chosen, drawn, kind)
    formats.write_all({output: content})
    note_trouble(store, quiet=quiet)
    if not quiet:
        said = f"{name}, {chosen.claim} Here it {drawn.verdict}: {printable(drawn.found, 2000)}"
        (tell if output == "-" else click.echo)(said)
    return 0
