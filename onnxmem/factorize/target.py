"""The matrices that are factorized, as the iterations see them: two products and a norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.kernel import product

_WORTHWHILE = 0.5
"""A matrix is compressed where its parts have less than this share of its values."""

_FEW = 4
"""Components count as few where the short side has over this many times as many."""

_POWER_STEPS = 3

_COLUMNS = 4 * _POWER_STEPS
"""What subspace iteration on A costs for each component, in columns of a Gram matrix, of which half
is computed."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stack of matrices A (p, m, q), or of their truncated singular value decompositions.

    Attributes:
        left: (p, m, r); A itself when not compressed.
        left_t: (p, r, m), the same transposed.
        right: (p, r, q), A ≈ left right; None when not compressed.
        right_t: (p, q, r).
        square: (p,) float32, ‖A‖², of the whole of A in both cases.
    """

    left: Array
    left_t: Array
    right: Array | None
    right_t: Array | None
    square: Array

    @classmethod
    def whole(cls, a: Array) -> Self:
        """Take `a` (p, m, q) float32 as it is."""
        xp = namespace(a)
        return cls(a, _transposed(a), None, None, xp.stack([xp.vdot(one, one) for one in a]))

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (p, m, q) of A."""
        p, m = self.left.shape[:2]
        return p, m, (self.left if self.right is None else self.right).shape[2]

    def times(self, h: Array) -> Array:
        """Return h Aᵀ, (p, k, m), for h (p, k, q)."""
        between = h if self.right_t is None else product(h, self.right_t)
        return product(between, self.left_t)

    def transposed_times(self, w: Array) -> Array:
        """Return w A, (p, k, q), for w (p, k, m)."""
        first = product(w, self.left)
        return first if self.right is None else product(first, self.right)


def _transposed(stack: Array) -> Array:
    """Return the matrices transposed, as a copy: products with it are up to twice as fast."""
    return namespace(stack).ascontiguousarray(stack.swapaxes(1, 2))


class Spectrum:
    """The leading singular vectors of the matrices of a target, as many as one asks for.

    They come from the Gram matrix of the short side once forming it pays, and it is kept from then
    on. In float32 that leaves out directions below a thousandth of the largest.
    """

    def __init__(self, whole: Target, seed: int) -> None:
        """Take a target that is not compressed, and the seed of subspace iteration's noise."""
        self._whole, self._seed = whole, seed
        self._grams: list[Array] = []

    def compressed(self, components: int, more: int = 0) -> Target:
        """Return the target with each A as a product of so many components, its truncated SVD.

        It returns the target itself where that would not make products cheaper. `more` is how many
        will be asked for next, if any.
        """
        m, q = self._whole.shape[1:]
        if components * (m + q) >= _WORTHWHILE * m * q:
            return self._whole
        xp = namespace(self._whole.left)
        if not self._grams and min(m, q) <= _COLUMNS * (components + more):
            self._grams = [tall.T @ tall for tall in map(_tall, self._whole.left)]
        grams = self._grams or [None] * len(self._whole.left)
        parts = [
            _projected(one, self._basis(_tall(one), gram, components))
            for one, gram in zip(self._whole.left, grams, strict=True)
        ]
        left, right = (xp.stack(side) for side in zip(*parts, strict=True))
        return Target(left, _transposed(left), right, _transposed(right), self._whole.square)

    def _basis(self, tall: Array, gram: Array | None, components: int) -> Array:
        """Return the leading right singular vectors (short side, components) of a matrix.

        Few of many come from subspace iteration, which leaves out what the matrix hardly has anyway
        (Halko, Martinsson & Tropp 2011, algorithm 4.4).
        """
        xp, short = namespace(tall), tall.shape[1]
        if gram is not None and components * _FEW >= short:
            return xp.ascontiguousarray(xp.linalg.eigh(gram)[1][:, -components:])
        noise = np.random.default_rng(self._seed).standard_normal((short, components), np.float32)
        basis = xp.asarray(noise)
        for _ in range(_POWER_STEPS):
            image = tall.T @ (tall @ basis) if gram is None else gram @ basis
            basis = xp.linalg.qr(image)[0]
        return basis


def _tall(a: Array) -> Array:
    """Return `a` with its short side last."""
    return a.T if a.shape[0] < a.shape[1] else a


def _projected(a: Array, basis: Array) -> tuple[Array, Array]:
    """Return the factors of `a` (m, q), projected on an orthonormal basis of its short side."""
    if a.shape[0] < a.shape[1]:
        return basis, basis.T @ a
    return a @ basis, namespace(a).ascontiguousarray(basis.T)
