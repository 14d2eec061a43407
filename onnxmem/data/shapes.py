"""Shapes of samples against the sizes that an input takes, and in words."""

from __future__ import annotations

from collections.abc import Sequence

Sizes = Sequence[int | str | None]
"""Sizes of an input; those that are no positive int are free, as is the axis of the samples."""


def fits(shape: Sequence[int], sizes: Sizes) -> bool:
    """Tell whether samples of `shape` fit an input of `sizes`; the number of samples is free."""
    return len(shape) == len(sizes) and misfit(shape, sizes) is None


def misfit(shape: Sequence[int], sizes: Sizes) -> int | None:
    """Return the first axis whose size is not the one that is wanted, None where there is none."""
    pairs = list(enumerate(zip(shape, sizes, strict=False)))[1:]
    return next((axis for axis, (have, size) in pairs if _is_fixed(size) and have != size), None)


def _is_fixed(size: int | str | None) -> bool:
    return isinstance(size, int) and size > 0


def in_words(shape: Sizes) -> str:
    """Return a shape as people write it, with ? for a size that is not known."""
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"
