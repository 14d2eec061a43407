"""Numbers as sentences have them: rounded once, from the record."""

from __future__ import annotations

from collections.abc import Sequence


def percent(share: float) -> str:
    """Return a share as whole percents; one that is small and not 0 says so."""
    if 0 < share < 0.005:
        return "under 1 %"
    return f"{100 * share:.0f} %"


def signed(value: float, digits: int = 3) -> str:
    """Return a number with a true minus sign; one that rounds to 0 has no sign."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def percents(low: float, high: float) -> str:
    """Return the ends of an interval of shares."""
    return f"{100 * low:.0f}–{100 * high:.0f} %"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
