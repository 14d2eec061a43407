"""At which levels of a curve all samples are run in any case, and when that is enough."""

from __future__ import annotations

TOLERANCE = 0.01
"""Of an area: what samples that are not run may move it by."""


def first_places(count: int, draws: int = 1) -> tuple[int, ...]:
    """Return the places in a grid of `count` levels at which all samples are run, ascending.

    The ends; of ranks also the second, where accuracy moves most, and the middle, which tells how
    many samples do not fare as they do on both sides of it. What is drawn at random is audited
    instead.
    """
    last = count - 1
    inner = () if draws > 1 else (min(1, last), last // 2)
    return tuple(sorted({0, *inner, last}))
