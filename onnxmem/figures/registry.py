"""Every figure by its name."""

from __future__ import annotations

from onnxmem.errors import UsageError
from onnxmem.figures import (
    depth,
)
from onnxmem.figures.figure import Figure

_ALL = (*depth.FIGURES,)

FIGURES: dict[str, Figure] = {one.name: one for one in _ALL}


def figure(name: str) -> Figure:
    """Return the figure of that name.

    Raises:
        UsageError: there is none; the message names those there are.
    """
    if name not in FIGURES:
        raise UsageError(f"there is no figure {name!r}; there are {', '.join(FIGURES)}")
    return FIGURES[name]
