"""How far an audit is, on stderr; imported when one starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.auditing import Listener
    from onnxmem.auditing import Progress as Event


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
        TextColumn("{task.completed}/{task.total} {task.fields[unit]}"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, title=printable(title, 30), unit="")

        def listen(event: Event) -> None:
            if event.note:
                bar.console.print(Text(f"{printable(title, 30)}: {event.note}"))
            bar.update(
                task,
                completed=event.done,
                total=event.total or None,
                unit=event.unit,
                description=printable(event.stage, 40),
            )

        yield listen
