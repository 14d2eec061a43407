"""How a window slides over an input: sizes, steps and padding, whatever says them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from onnxmem.arrays import Array, namespace
from onnxmem.gradients.operators import Operators
from onnxmem.graph import Operator


@dataclass(frozen=True, slots=True)
class Window:
    """A window and where it stands; each field holds one number for each spatial axis.

    Attributes:
        kernel: The size of the window.
        strides: How far it moves from place to place.
        dilations: How far its elements lie apart.
        begins: The padding before the input.
        sizes: The size of the input.
        places: How many places it has.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begins: tuple[int, ...]
    sizes: tuple[int, ...]
    places: tuple[int, ...]

    @property
    def covered(self) -> tuple[int, ...]:
        """What all places of the window cover, padding included."""
        numbers = zip(self.places, self.strides, self.kernel, self.dilations, strict=True)
        return tuple((n - 1) * stride + (k - 1) * gap + 1 for n, stride, k, gap in numbers)

    @property
    def before(self) -> tuple[int, ...]:
        """Where what it slides over begins, in places of the input."""
        return tuple(-begin for begin in self.begins)

    @property
    def extent(self) -> tuple[int, ...]:
        """How much it slides over from there on, in which the input has room too."""
        numbers = zip(self.covered, self.sizes, self.begins, strict=True)
        return tuple(max(covered, size + begin) for covered, size, begin in numbers)

    @property
    def overlaps(self) -> bool:
        """Whether two places may see the same element."""
        numbers = zip(self.strides, self.kernel, self.dilations, strict=True)
        return any(stride < (k - 1) * gap + 1 for stride, k, gap in numbers)

    def elements(self) -> Iterator[tuple[slice, ...]]:
        """Yield for each element of the window what it sees, an index of (samples, channels, ...).

        The tensor that is indexed begins with the padding.
        """
        for offsets in product(*map(range, self.kernel)):
            numbers = zip(offsets, self.dilations, self.strides, self.places, strict=True)
            inside = (
                slice(offset * gap, offset * gap + (n - 1) * stride + 1, stride)
                for offset, gap, stride, n in numbers
            )
            yield (slice(None), slice(None), *inside)


def window_of(
    operator: Operator, kernel: Sequence[int], sizes: Sequence[int], places: Sequence[int]
) -> Window:
    """Return how the window of a convolution or a pool slides.

    Args:
        operator: Gives strides, dilations and padding as its attributes.
        kernel: The size of the window.
        sizes: The spatial sizes of what the window slides over.
        places: The spatial sizes of what comes of it.
    """
    ones = (1,) * len(kernel)
    given = operator.attributes
    window = Window(
        tuple(kernel),
        tuple(given.get("strides", ones)),
        tuple(given.get("dilations", ones)),
        tuple(given.get("pads", (0,) * 2 * len(kernel))[: len(kernel)]),
        tuple(sizes),
        tuple(places),
    )
    how = given.get("auto_pad", "NOTSET")
    if how == "NOTSET":
        return window
    missing = [max(n - size, 0) for n, size in zip(window.covered, sizes, strict=True)]
    if how == "VALID":
        missing = [0] * len(kernel)
    upper = how != "SAME_LOWER"
    begins = tuple(n // 2 if upper else n - n // 2 for n in missing)
    return replace(window, begins=begins)


def placed(array: Array, begins: Sequence[int], sizes: Sequence[int], fill: float = 0) -> Array:
    """Return the part of `array` of such `sizes` from `begins` on, filled up outside of it.

    Args:
        array: (samples, channels, ...).
        begins: Where the part begins on each spatial axis; below zero is outside.
        sizes: The spatial sizes of the part.
        fill: What stands outside of the array.
    """
    inside = array.shape[2:]
    if all(begin == 0 for begin in begins) and tuple(sizes) == inside:
        return array
    result = namespace(array).full((*array.shape[:2], *sizes), fill, array.dtype)
    source, target = [slice(None)] * 2, [slice(None)] * 2
    for begin, size, length in zip(begins, sizes, inside, strict=True):
        first, last = max(begin, 0), min(begin + size, length)
        last = max(first, last)
        source.append(slice(first, last))
        target.append(slice(first - begin, last - begin))
    result[tuple(target)] = array[tuple(source)]
    return result


def spread(
    operators: Operators, gradient: Array, weights: Array, window: Window, group: int
) -> Array:
    """Add what each place of a window got to the elements that the window covered there.

    Args:
        operators: Runs the transposed convolution.
        gradient: (samples, outputs, *places).
        weights: (outputs, inputs / group, *kernel).
        window: How it slides.
        group: How many groups of channels there are.

    Returns:
        (samples, inputs, *sizes).
    """
    fits = zip(window.covered, window.begins, window.sizes, strict=True)
    ends = [covered - begin - size for covered, begin, size in fits]
    cropped = all(end >= 0 for end in ends)
    none = (0,) * len(window.kernel)
    full = operators.one(
        "ConvTranspose", gradient, weights,
        strides=window.strides, dilations=window.dilations, group=group,
        pads=(*window.begins, *ends) if cropped else (*none, *none),
    )  # fmt: skip
    return full if cropped else placed(full, window.begins, window.sizes)


def unfolded(x: Array, window: Window) -> Array:
    """Return what the window sees at each of its places.

    Args:
        x: (samples, channels, *sizes).
        window: How it slides.

    Returns:
        (samples, channels, elements of the window, places).
    """
    padded = placed(x, window.before, window.extent)
    shape = (*x.shape[:2], 1, prod(window.places))
    seen = [padded[element].reshape(shape) for element in window.elements()]
    return namespace(x).concatenate(seen, axis=2)
