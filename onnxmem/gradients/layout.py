"""Where the samples lie in a tensor: along axis 0, along another one, or folded into one.

Exporters turn axes around inside of a network (attention over steps, samples, features) and fold
samples and positions into one axis. Nothing in the graph tells which axis counts samples, but
gradients do: what only some samples ask for arrives at the places of these samples alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnxmem.arrays import Array, namespace
from onnxmem.errors import InconclusiveError


@dataclass(frozen=True, slots=True)
class Layout:
    """The axis that samples lie along; `outer` where each is a block of it, not a stride."""

    axis: int
    outer: bool = True

    def first(self, array: Array, samples: int) -> Array:
        """Return `array` with its samples along axis 0; what else was in their axis stays there."""
        size = array.shape[self.axis]
        axis = self.axis
        if size != samples:
            parts = (samples, size // samples) if self.outer else (size // samples, samples)
            array = array.reshape(*array.shape[:axis], *parts, *array.shape[axis + 1 :])
            axis += not self.outer
        return array if axis == 0 else namespace(array).moveaxis(array, axis, 0)

    def without(self, axis: int) -> Layout:
        """Return where the samples lie once another axis has been moved to the end."""
        return Layout(self.axis - (self.axis > axis), self.outer)


def candidates(shape: tuple[int, ...], samples: int) -> Iterator[Layout]:
    """Yield the ways in which so many samples can lie in a tensor, the plainest first."""
    for axis, size in enumerate(shape):
        if size and size % samples == 0:
            yield Layout(axis)
    for axis, size in enumerate(shape):
        if size > samples and size % samples == 0:
            yield Layout(axis, outer=False)


def any_layout(shape: tuple[int, ...], samples: int) -> Layout:
    """Return a layout that fits, where no gradient tells which, as of one sample alone.

    Raises:
        InconclusiveError: None fits.
    """
    for axis, size in enumerate(shape):
        if size == samples:
            return Layout(axis)
    for layout in candidates(shape, samples):
        return layout
    raise InconclusiveError(f"a tensor {shape} does not hold {samples} samples")


def find_layout(of_first: Array, of_others: Array, samples: int, split: int) -> Layout | None:
    """Return where the samples lie.

    Args:
        of_first: The gradient of a tensor that only the first `split` samples asked for.
        of_others: The one that only the other samples asked for.
        samples: How many samples there are.
        split: How many of them come first.

    Returns:
        None where the tensor does not keep its samples apart.
    """
    for layout in candidates(of_first.shape, samples):
        strays = layout.first(of_first, samples)[split:], layout.first(of_others, samples)[:split]
        if not any(map(_holds_anything, strays)):
            return layout
    return None


def _holds_anything(array: Array) -> bool:
    """Tell whether there is a number other than 0; what is no number tells nothing."""
    return bool(((array != 0) & (array == array)).any())
