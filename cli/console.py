"""A table on stdout, as wide as the terminal.

Imported when one is shown, like the tables themselves, since rich takes its time.
"""

from __future__ import annotations

import os
import sys

from rich.console import Console, RenderableType

from onnxmem.errors import OutputError

from .streams import silence


class _Screen(Console):
    """A console whose reader may go away: that ends the table and changes no exit code."""

    def on_broken_pipe(self) -> None:
        """Send the rest nowhere."""
        silence(sys.stdout)


def show(renderable: RenderableType, *, piped_width: int = 0) -> None:
    """Print a table to stdout, which may be wider where no terminal shows it.

    Raises:
        OutputError: it cannot be written, though somebody reads.
    """
    screen = _Screen()
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen.width = max(screen.width, piped_width)
    try:
        screen.print(renderable)
    except OSError as error:
        raise OutputError(f"cannot write stdout: {error.strerror}") from error
