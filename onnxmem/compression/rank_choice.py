"""At which levels of a curve all samples are run, which others are, and when that is enough."""

from __future__ import annotations

TOLERANCE = 0.007
"""Of an area: how far it may be off, in 95 of 100 cases. A level adds to that also where no
audited sample fares otherwise, since others may."""

AUDITED = {False: 1 / 6, True: 3 / 8}
"""The share of samples that are run although they need not be, by whether approximations are drawn:
after those samples fare otherwise more often."""


def first_places(count: int, draws: int = 1) -> tuple[int, ...]:
    """Return the places in a grid of `count` levels at which all samples are run, ascending.

    The ends; of ranks also the second, where accuracy moves most.
    """
    last = count - 1
    return tuple(sorted({0, last} if draws > 1 else {0, min(1, last), last}))
