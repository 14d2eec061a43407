"""How far work is, on stderr: a bar on a terminal, lines elsewhere; imported when it starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from onnxmem.text import printable

from .streams import tell

if TYPE_CHECKING:
    from onnxmem.auditing import Listener
    from onnxmem.auditing import Progress as Event

SILENCE = 30.0
"""Seconds after which something is said where no terminal shows a bar."""

_BEFORE = "reading the data"


@contextmanager
def progress(title: str, *, quiet: bool) -> Iterator[Listener]:
    """Show how far an audit is while it runs."""
    console = Console(stderr=True)
    if quiet:
        yield lambda event: None
    elif console.is_terminal:
        with _bar(printable(title, 30), console) as listen:
            yield listen
    else:
        lines = Lines(printable(title, 80), tell)
        with _beating(lines):
            yield lines.hear


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


class Lines:
    """Says a line at each layer, for each note, and whenever nothing was said for a while."""

    def __init__(
        self, title: str, say: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock.

        Args:
            title: what is worked on.
            say: takes a line.
            now: seconds of a clock.
        """
        self._title, self._say, self._now = title, say, now
        self._lock = threading.Lock()
        self._begin = self._last = now()
        self._stage, self._place = _BEFORE, ""

    def hear(self, event: Event) -> None:
        """Take note of where work stands."""
        with self._lock:
            before = self._stage, self._place
            self._stage = printable(event.stage, 80)
            self._place = f"{event.done} of {event.total} {event.unit}" if event.total else ""
            if event.note:
                self._line(printable(event.note, 300))
            if event.done < event.total and self._is_new_layer(event, before):
                self._line(f"at {self._stage} ({self._place})")

    def _is_new_layer(self, event: Event, before: tuple[str, str]) -> bool:
        if event.unit == "layers":
            return before != (self._stage, self._place)
        return event.unit == "curves" and before[0] != self._stage

    def beat(self) -> float:
        """Say where work stands if nothing was said for long; return when to look again."""
        with self._lock:
            if self._now() - self._last >= SILENCE:
                spent = f"{self._now() - self._begin:.0f} s"
                place = ", ".join(filter(None, (self._place, spent)))
                self._line(f"still at {self._stage} ({place})")
            return max(SILENCE - (self._now() - self._last), 0.0)

    def _line(self, text: str) -> None:
        self._last = self._now()
        self._say(f"onnxmem: {self._title}: {text}")


@contextmanager
def _beating(lines: Lines) -> Iterator[None]:
    """Let a thread look after the lines."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(lines.beat()):
            pass

    thread = threading.Thread(target=watch, name="onnxmem-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
