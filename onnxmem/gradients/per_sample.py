"""Gradients of weights for each sample: what came back times what went in.

For one sample the gradient of a matrix is R Cᵀ, where the columns of R (outputs, positions) are
the gradients of what the matrix made and those of C (inputs, positions) what it read; the windows
of a convolution are such positions, and so are further uses of the same weight. The squared norm
needs no gradient where positions are few: it is the sum of RᵀR ⊙ CᵀC (Goodfellow,
arXiv:1510.01799; Rochette, Manoel and Tramel, arXiv:1912.06015).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from onnxmem.arrays import Array, namespace, take_rows
from onnxmem.errors import InconclusiveError
from onnxmem.gradients.layout import Layout
from onnxmem.gradients.rules.geometry import unfolded, window_of
from onnxmem.gradients.weights import Weight
from onnxmem.graph import Step
from onnxmem.text import printable

PIECE = 1 << 20
"""Elements of what a weight read that are laid out at once; more fit no cache."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a node that reads a weight saw of a batch.

    Attributes:
        step: The node.
        read: What it multiplied the weight by.
        gradient: That of what it made.
        layout: Where the samples lie in both.
    """

    step: Step
    read: Array
    gradient: Array
    layout: Layout


@dataclass(frozen=True, slots=True)
class WeightGradients:
    """The gradients of a weight for the samples of a batch."""

    weight: Weight
    uses: tuple[Use, ...]
    samples: int

    @np.errstate(all="ignore")
    def squared_norms(self) -> Array:
        """Return the squared norm of the gradient of each sample (samples,), in float64."""
        return _joined([product.squared_norms() for _, product in self._pieces()])

    @np.errstate(all="ignore")
    def each(self) -> Array:
        """Return the gradient of each sample (samples, *shape of the weight)."""
        found = [product.gradients() for _, product in self._pieces()]
        return _joined(found).reshape(self.samples, *self.weight.shape)

    @np.errstate(all="ignore")
    def sums(self, coefficients: np.ndarray) -> Array:
        """Return sums of the gradients of the samples.

        Args:
            coefficients: (sums, samples) on the host, by what each sample is multiplied: 1 / n
                gives a mean, 0 leaves it out at no cost.

        Returns:
            (sums, *shape of the weight), in float64.
        """
        xp = namespace(self.uses[0].read)
        found = xp.zeros((len(coefficients), *self.weight.shape), np.float64)
        for place, product in self._pieces():
            for at, row in enumerate(coefficients[:, place]):
                if row.any():
                    found[at] += product.total(row).reshape(self.weight.shape)
        return found

    def _pieces(self) -> Iterator[tuple[slice, _Product]]:
        """Yield the products of a few samples at a time, and which they are."""
        most = max(_elements(self.weight, use) for use in self.uses) // self.samples
        step = max(1, PIECE // max(most, 1))
        for start in range(0, self.samples, step):
            place = slice(start, min(start + step, self.samples))
            products = [_product(self.weight, use, self.samples, place) for use in self.uses]
            yield place, _together(products)


@dataclass(frozen=True, slots=True)
class _Product:
    """R and C of some samples: (samples, groups, outputs or inputs, positions)."""

    rows: Array
    columns: Array

    def gradients(self) -> Array:
        """Return R Cᵀ of each sample (samples, groups, outputs, inputs)."""
        return self.rows @ self.columns.swapaxes(-1, -2)

    def squared_norms(self) -> Array:
        """Return the sum of the squares of R Cᵀ of each sample (samples,)."""
        outputs, positions = self.rows.shape[-2:]
        if positions * positions > outputs * self.columns.shape[-2]:
            found = self.gradients()
            squares = found * found
        else:
            of_rows = self.rows.swapaxes(-1, -2) @ self.rows
            squares = of_rows * (self.columns.swapaxes(-1, -2) @ self.columns)
        return squares.sum(axis=(1, 2, 3), dtype=np.float64)

    def total(self, coefficients: np.ndarray) -> Array:
        """Return the sum of R Cᵀ over samples, each times its coefficient."""
        chosen = np.flatnonzero(coefficients)
        rows, columns = (
            one if len(chosen) == len(one) else take_rows(one, chosen)
            for one in (self.rows, self.columns)
        )
        factors = coefficients[chosen].astype(rows.dtype).reshape(-1, 1, 1, 1)
        rows = rows * namespace(rows).asarray(factors)
        flat = [one.transpose(1, 2, 0, 3).reshape(*one.shape[1:3], -1) for one in (rows, columns)]
        return flat[0] @ flat[1].swapaxes(-1, -2)


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else namespace(parts[0]).concatenate(parts, axis=0)


def _together(products: list[_Product]) -> _Product:
    """Return the product of all uses of a weight: their positions side by side."""
    if len(products) == 1:
        return products[0]
    xp = namespace(products[0].rows)
    return _Product(
        xp.concatenate([one.rows for one in products], axis=-1),
        xp.concatenate([one.columns for one in products], axis=-1),
    )


def _elements(weight: Weight, use: Use) -> int:
    """Return how many elements C has in all samples."""
    if weight.op != "Conv":
        return int(use.read.size)
    places = use.gradient.size // use.gradient.shape[1]
    return int(places * use.read.shape[1] * prod(weight.shape[2:]))


def _product(weight: Weight, use: Use, samples: int, place: slice) -> _Product:
    if weight.op == "Conv":
        return _of_convolution(weight, use, samples, place)
    attributes = use.step.operator.attributes
    on_the_left = use.step.inputs[0] == weight.name
    axis = use.read.ndim - (2 if on_the_left else 1)
    read, made = (
        _vectors(weight, one, axis, use.layout, samples, place) for one in (use.read, use.gradient)
    )
    made = made if (alpha := attributes.get("alpha", 1.0)) == 1 else made * alpha
    outputs_first = on_the_left or attributes.get("transB", 0)
    return _Product(made, read) if outputs_first else _Product(read, made)


def _vectors(
    weight: Weight, array: Array, axis: int, layout: Layout, samples: int, place: slice
) -> Array:
    """Return what a matrix is multiplied by, or makes: (samples, 1, elements of `axis`, others)."""
    if axis < 0 or layout.axis == axis:
        raise _mixed(weight)
    moved = namespace(array).moveaxis(array, axis, -1)
    first = layout.without(axis).first(moved, samples)[place]
    return first.reshape(len(first), 1, -1, first.shape[-1]).swapaxes(-1, -2)


def _of_convolution(weight: Weight, use: Use, samples: int, place: slice) -> _Product:
    if use.layout.axis != 0:
        raise _mixed(weight)
    operator = use.step.operator
    group = operator.attributes.get("group", 1)
    window = window_of(operator, weight.shape[2:], use.read.shape[2:], use.gradient.shape[2:])
    read, made = (use.layout.first(one, samples)[place] for one in (use.read, use.gradient))
    columns = unfolded(read.reshape(-1, *use.read.shape[1:]), window)
    rows = made.reshape(-1, made.shape[-1 - len(window.kernel)], columns.shape[-1])
    return _Product(_grouped(rows, len(made), group), _grouped(columns, len(made), group))


def _grouped(array: Array, samples: int, group: int) -> Array:
    """Return (samples, groups, channels of each, positions) of (images, channels, ..., places).

    A sample may consist of several images; their places are its positions.
    """
    images = array.reshape(samples, len(array) // samples, group, -1, array.shape[-1])
    if images.shape[1] == 1:
        return images[:, 0]
    moved = images.transpose(0, 2, 3, 1, 4)
    return moved.reshape(*moved.shape[:3], -1)


def _mixed(weight: Weight) -> InconclusiveError:
    return InconclusiveError(
        f"the weight {printable(weight.name)!r} mixes the samples of a batch, so it has no "
        "gradient of each"
    )
