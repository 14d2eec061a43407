"""Puts the axes of samples in the order that an input takes, where only one order fits.

Exports of one network differ in where the channels stand: behind the samples (NCHW), or at the
end (NHWC). Samples kept for the one are samples for the other with that axis moved.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from onnxmem.data.columns import Column, Lazy
from onnxmem.data.shapes import Sizes, fits, in_words


class _Moved(Lazy):
    """A lazy column with its axes in another order."""

    def __init__(self, source: Lazy, order: tuple[int, ...]) -> None:
        super().__init__(
            tuple(source.shape[axis] for axis in order),
            source.dtype,
            note=source.note,
            recipe=source.recipe,
            hint=source.hint,
            library=source.library,
        )
        self._source, self._order = source, order

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return those rows, moved."""
        return self._source[rows].transpose(self._order)

    def fingerprints(self, rows: slice | np.ndarray) -> Iterator[bytes] | None:
        """Return what the source knows its samples by."""
        return self._source.fingerprints(rows)


def fit_axes(column: Column, sizes: Sizes) -> tuple[Column, str]:
    """Return the samples with their channels where the input takes them, and what was moved.

    Args:
        column: (samples, ...).
        sizes: of the input.

    Returns:
        The column as it is, and an empty text, where it fits already, where no move of the axis
        of channels makes it fit, or where both moves do.
    """
    if column.ndim < 3 or fits(column.shape, sizes):
        return column, ""
    last = column.ndim - 1
    orders = {
        (0, *range(2, column.ndim), 1): "axis 1 moved to the end",
        (0, last, *range(1, last)): "the last axis moved to place 1",
    }
    found = [order for order in orders if fits([column.shape[axis] for axis in order], sizes)]
    if len(found) != 1:
        return column, ""
    order = found[0]
    moved = _Moved(column, order) if isinstance(column, Lazy) else column.transpose(order)
    return moved, f"{orders[order]}, from {in_words(column.shape)} to {in_words(moved.shape)}"
