"""What a person sees: tables on stdout, messages and progress on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from onnxmem.auditing import Listener
from onnxmem.auditing import Progress as Event
from onnxmem.cache import Store
from onnxmem.errors import OutputError
from onnxmem.records import Comparison, Report
from onnxmem.report import sentence, terminal
from onnxmem.text import printable

from .entry import MESSAGE_LENGTH
from .streams import heard_or_not, silence
from .tables import comparison_table


class _Screen(Console):
    """A console whose reader may go away: that ends the table and changes no exit code."""

    def on_broken_pipe(self) -> None:
        """Send the rest nowhere."""
        silence(sys.stderr if self.stderr else sys.stdout)


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


def say(message: str) -> None:
    """Print a message to stderr."""
    with heard_or_not():
        _Screen(stderr=True, soft_wrap=True).print(Text(message))


def note_trouble(store: Store, *, quiet: bool) -> None:
    """Say why results are not kept, where they are not; no audit fails for that."""
    if store.trouble and not quiet:
        say(f"onnxmem: note: {printable(store.trouble, 400)}")


def conclude(report: Report, *, table: bool, quiet: bool) -> None:
    """Show a report: a table on stdout or a sentence on stderr; if quiet, only what is wrong."""
    if not quiet and table:
        show(terminal(report))
    elif not quiet:
        say(sentence(report))
    elif report.exit_code:
        say(f"onnxmem: {report.verdict}: {printable(report.reason, 400)}")


def conclude_comparison(comparison: Comparison, *, table: bool, quiet: bool) -> None:
    """Show a comparison and a sentence for each report; if quiet, only what is wrong."""
    if not quiet and table:
        show(comparison_table(comparison))
    for name, report in zip(comparison.models, comparison.reports, strict=True):
        if not report.measured:
            say(f"onnxmem: error: {printable(report.reason, MESSAGE_LENGTH)}")
        elif not quiet:
            say(sentence(report))
        elif report.exit_code:
            say(f"onnxmem: {name}: {report.verdict}: {printable(report.reason, 400)}")


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
