"""Puts the axes of samples in the order that an input takes, where only one order fits.

Exports of one network differ in where the channels stand: behind the samples (NCHW), or at the
end (NHWC). Samples kept for the one are samples for the other with that axis moved.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Sizes = Sequence[int | str | None]
"""Sizes of an input; those that are no positive int are free, as is the axis of the samples."""


def fits(shape: Sequence[int], sizes: Sizes) -> bool:
    """Tell whether samples of `shape` fit an input of `sizes`; the number of samples is free."""
    pairs = list(zip(shape, sizes, strict=False))[1:]
    known = [(have, size) for have, size in pairs if isinstance(size, int) and size > 0]
    return len(shape) == len(sizes) and all(have == size for have, size in known)


def fit_axes(array: np.ndarray, sizes: Sizes) -> tuple[np.ndarray, str]:
    """Return the samples with their channels where the input takes them, and what was moved.

    Args:
        array: (samples, ...).
        sizes: of the input.

    Returns:
        The array as it is, and an empty text, where it fits already, where no move of the axis
        of channels makes it fit, or where both moves do.
    """
    if array.ndim < 3 or fits(array.shape, sizes):
        return array, ""
    last = array.ndim - 1
    moved = {
        order: (array.transpose(order), text)
        for order, text in (
            ((0, *range(2, array.ndim), 1), "axis 1 moved to the end"),
            ((0, last, *range(1, last)), "the last axis moved to place 1"),
        )
    }
    found = [(one, text) for one, text in moved.values() if fits(one.shape, sizes)]
    if len(found) != 1:
        return array, ""
    one, text = found[0]
    return one, f"{text}, from {_text(array.shape)} to {_text(one.shape)}"


def _text(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"
