"""Adds up where the time of an audit goes."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Clock:
    """Seconds for each stage; several threads may be in stages at once."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as the stage `name`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[name] += time.perf_counter() - begin

    def timed(self, name: str, function: Callable[[Any], Any], item: Any) -> Any:
        """Return function(item), and count it as the stage `name`."""
        with self.stage(name):
            return function(item)

    def split(self, workers: int) -> dict[str, float]:
        """Return the seconds since the clock was made, split over the stages.

        The time of all workers is shared out evenly; what was in no stage is called `rest`.
        """
        stages = {name: round(value / workers, 3) for name, value in self._seconds.items()}
        elapsed = time.perf_counter() - self._begin
        return stages | {"rest": round(max(0.0, elapsed - sum(stages.values())), 3)}
