"""What a person sees: tables on stdout, progress on stderr.

Imported when something is shown, like the tables themselves, since rich takes its time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from onnxmem.text import printable

from .streams import silence

if TYPE_CHECKING:
    from onnxmem.auditing import Listener
    from onnxmem.auditing import Progress as Event


class _Screen(Console):
    """A console whose reader may go away: that ends the table and changes no exit code."""

    def on_broken_pipe(self) -> None:
        """Send the rest nowhere."""
        silence(sys.stdout)


def show(renderable: RenderableType, *, piped_width: int = 0) -> None:
    """Print a table to stdout, which may be wider where no terminal shows it."""
    screen = _Screen()
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen.width = max(screen.width, piped_width)
    screen.print(renderable)


@contextmanager
def progress(title: str, *, quiet: bool) -> Iterator[Listener]:
    """Show stage, bar and time left while an audit runs; only on a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda event: None
        return
    columns = (
        TextColumn("{task.fields[title]}", markup=False),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} curves"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, title=printable(title, 30))

        def listen(event: Event) -> None:
            if event.note:
                bar.console.print(Text(f"{printable(title, 30)}: {event.note}"))
            bar.update(
                task,
                completed=event.done,
                total=event.total or None,
                description=printable(event.stage, 40),
            )

        yield listen
