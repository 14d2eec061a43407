"""One finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        key: what it is about, as in the JSON: `memorized_share`, `label_noise`, ...
        sentence: it in words, without its subject and without a full stop.
        value, low, high: its number and interval or range; None where there is none.
        caution: what it does not say.
        follow: what to do next, a command where there is one; empty where there is nothing.
    """

    key: str
    sentence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    caution: str = ""
    follow: str = ""
