"""Where the samples lie in what a layer gives, told by running one and two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnxmem.arrays import Array, namespace
from onnxmem.network.outputs import TOLERANCE, deviation


@dataclass(frozen=True, slots=True)
class SampleAxis:
    """Where samples lie in a tensor.

    Attributes:
        axis: that counts them.
        positions: of each sample that lie behind one another along that axis, which is the first.
    """

    axis: int = 0
    positions: int = 1

    def first(self, tensor: Array, feature_axis: int | None) -> tuple[Array, int | None]:
        """Return a tensor with its samples along axis 0, and where its features lie then.

        Args:
            tensor: as the network gives it.
            feature_axis: of that tensor; negative: from the end.
        """
        xp = namespace(tensor)
        axis = None if feature_axis is None else feature_axis % tensor.ndim
        if self.positions > 1:
            shape = (-1, self.positions, *tensor.shape[1:])
            return tensor.reshape(shape), None if axis is None else axis + 1
        if self.axis and axis is not None and axis < self.axis:
            axis += 1
        return xp.moveaxis(tensor, self.axis, 0), axis


def find_sample_axis(one: Array, two: Array) -> SampleAxis | None:
    """Return where samples lie, None where that cannot be told.

    Args:
        one: what a tensor is for one sample.
        two: what it is for that sample and another one.
    """
    if one.ndim != two.ndim or not one.ndim:
        return None
    sizes = list(zip(one.shape, two.shape, strict=True))
    grown = [axis for axis, (before, after) in enumerate(sizes) if before != after]
    if len(grown) != 1:
        return None
    (axis,) = grown
    positions = one.shape[axis]
    if sizes[axis] == (1, 2):
        return SampleAxis(axis)
    if axis or sizes[axis] != (positions, 2 * positions):
        return None
    behind = deviation(two[:positions], one) <= TOLERANCE
    return SampleAxis(0, positions) if behind else None


def fixed_axis(shape: Sequence[int], samples: int) -> SampleAxis | None:
    """Return where samples lie in a tensor of which nothing but its shape is known."""
    if shape[:1] == (samples,):
        return SampleAxis()
    axes = [axis for axis, size in enumerate(shape) if size == samples]
    return SampleAxis(axes[0]) if len(axes) == 1 else None
