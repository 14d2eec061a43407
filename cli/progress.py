"""How far work is, on stderr: a bar on a terminal, lines elsewhere; imported when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from onnxmem.text import printable

from .lines import patience

if TYPE_CHECKING:
    from onnxmem.auditing import Listener
    from onnxmem.auditing import Progress as Event

_BEFORE = "reading the data"


@contextmanager
def progress(title: str, *, quiet: bool) -> Iterator[Listener]:
    """Show how far an audit is while it runs."""
    console = Console(stderr=True)
    if console.is_terminal and not quiet:
        with _bar(printable(title, 30), console) as listen:
            yield listen
        return
    with patience(title, _BEFORE, quiet=quiet) as lines:
        yield (lambda event: None) if lines is None else lines.hear


@contextmanager
def _bar(title: str, console: Console) -> Iterator[Listener]:
    """Show stage, bar and time left."""
    columns = (
        TextColumn("{task.fields[title]}", markup=False),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} {task.fields[unit]}"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(_BEFORE, total=None, title=title, unit="")

        def listen(event: Event) -> None:
            if event.note:
                bar.console.print(Text(f"{title}: {event.note}"))
            bar.update(
                task,
                completed=event.done,
                total=event.total or None,
                description=printable(event.stage, 40),
                unit=event.unit if event.total else "",
            )

        yield listen
