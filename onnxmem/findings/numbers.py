"""Numbers as sentences have them: rounded once, from the record."""

from __future__ import annotations


def percent(share: float) -> str:
    """Return a share as whole percents; one that is small and not 0 says so."""
    if 0 < share < 0.005:
        return "under 1 %"
    return f"{100 * share:.0f} %"


def percents(low: float, high: float) -> str:
    """Return the ends of an interval of shares."""
    return f"{100 * low:.0f}–{100 * high:.0f} %"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
