"""`onnxmem demo`: a network that generalizes and one that memorizes, side by side."""

from __future__ import annotations

import click
import onnxmem.models as models

from onnxmem import report as formats
from onnxmem.text import printable

from .declared import quiet_option, verbose_option
from .offered import devices
from .parameters import OutputFile, Word
from .sandboxed import SandboxedCommand
from .streams import tell

NETWORKS = ("mnist-cnn-p00", "mnist-cnn-p100")
LEAD = (
    "Two networks of one architecture, both trained until they knew their labels: p00 was given "
    "the true labels of its images, p100 random ones, which can only be memorized."
)


@click.command("demo", cls=SandboxedCommand)
@click.option(
    "--html",
    default="onnxmem-demo.html",
    show_default=True,
    type=OutputFile(),
    metavar="FILE",
    help="Where to leave the page; - is stdout.",
)
@click.option(
    "--device",
    type=Word(devices),
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]",
)
@quiet_option
@verbose_option
def command(html: str, device: str, quiet: bool) -> int:
    """Audit a generalizing and a memorizing network that ship with the tool.

    Both are the same small CNN, trained to the end on the same images: one with
    the true labels, the other with random ones.
    """
    from onnxmem.auditing import Settings, run_audit
    from onnxmem.comparing import compare
    from onnxmem.data import Source
    from onnxmem.data import load as load_data

    from .console import show
    from .progress import progress

    formats.check_writable(html)
    reports = []
    for name in NETWORKS:
        network = models.network(name)
        with progress(name, quiet=quiet) as listen:
            report = run_audit(
                network.path,
                load_data(network.data_path),
                Settings(device=device),
                source=Source(str(network.data_path)),
                listen=listen,
            )
        reports.append(report)
    found = compare(reports, notes=[LEAD], own_data=True)
    formats.write(formats.render_comparison(found, "html"), html)
    if not quiet:
        if html != "-":
            show(formats.terminal(found))
        tell(f"The page with all curves: {printable(html, 200)}")
    return max(report.exit_code for report in reports)
