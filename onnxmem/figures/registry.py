"""Every figure by its name."""

from __future__ import annotations

from onnxmem.errors import UsageError
from onnxmem.figures import depth, errors, generalization, removal, stopping, support
from onnxmem.figures.figure import Figure

_ALL = (
    *(*support.FIGURES, *depth.FIGURES, *generalization.FIGURES, *stopping.FIGURES),
    *(*removal.FIGURES, *errors.FIGURES),
)
_NAMES = (*(f"fig{number}" for number in range(1, 12)), "table2")

FIGURES: dict[str, Figure] = {name: one for name in _NAMES for one in _ALL if one.name == name}
"""In the order of the paper."""


def figure(name: str) -> Figure:
    """Return the figure of that name.

    Raises:
        UsageError: there is none; the message names those there are.
    """
    if name not in FIGURES:
        raise UsageError(f"there is no figure {name!r}; there are {', '.join(FIGURES)}")
    return FIGURES[name]
