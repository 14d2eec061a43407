"""Lines on stderr that tell how far work is where no bar does, so that no wait is silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from onnxmem.text import printable

from .streams import tell

if TYPE_CHECKING:
    from onnxmem.auditing import Progress as Event

SILENCE = 30.0
"""Seconds after which something is said."""

_LEAST = 1.0
"""Seconds between two looks at the clock."""


@contextmanager
def patience(title: str, stage: str, *, quiet: bool) -> Iterator[Lines | None]:
    """Say now and then that work is going on; the lines hear where it stands. None if quiet."""
    if quiet:
        yield None
        return
    lines = Lines(printable(title, 80), stage, tell)
    with _beating(lines):
        yield lines


class Lines:
    """Says a line at each layer, for each note, and whenever nothing was said for a while."""

    def __init__(
        self,
        title: str,
        stage: str,
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            title: what is worked on.
            stage: what comes first.
            say: takes a line.
            now: seconds of a clock.
        """
        self._title, self._say, self._now = title, say, now
        self._lock = threading.Lock()
        self._begin = self._last = now()
        self._stage, self._place = stage, ""

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
            return max(SILENCE - (self._now() - self._last), _LEAST)

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
