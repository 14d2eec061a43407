"""Adds up where the time of an audit goes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Clock:
    """Seconds for each stage; where several threads are in stages at once, they share the time."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        """Start at `now`, in seconds."""
        self._now = now
        self._begin = self._seen = now()
        self._active: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as the stage `name`."""
        self._change(name, 1)
        try:
            yield
        finally:
            self._change(name, -1)

    def timed(self, name: str, function: Callable[[Any], Any], item: Any) -> Any:
        """Return function(item), and count it as the stage `name`."""
        with self.stage(name):
            return function(item)

    def _change(self, name: str, step: int) -> None:
        """Share out the time since the last change, then let a thread enter or leave a stage."""
        with self._lock:
            now = self._now()
            share = (now - self._seen) / max(1, self._active.total())
            for active, threads in self._active.items():
                self._seconds[active] = self._seconds.get(active, 0.0) + threads * share
            self._active[name] += step
            self._seen = now

    def split(self) -> dict[str, float]:
        """Return the seconds since the clock was made, split over the stages.

        What was in no stage is called `rest`.
        """
        stages = {name: round(value, 3) for name, value in self._seconds.items()}
        elapsed = self._now() - self._begin
        return stages | {"rest": round(max(0.0, elapsed - sum(stages.values())), 3)}
