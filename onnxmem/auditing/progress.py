"""What is told while something runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Where work stands: `done` of `total` units, and what is worked on.

    `note` is said once, on a line of its own.
    """

    stage: str
    done: int
    total: int
    note: str = ""
    unit: str = "curves"


Listener = Callable[[Progress], None]
