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
    """The leading singular vectors of the matrices of a target, as many as one asks for."""

    def __init__(self, whole: Target, seed: int) -> None:
        """Take a target that is not compressed; nothing is computed before it is needed."""
        self._whole, self._seed = whole, seed
        self._grams: list[Array] = []

    def compressed(self, components: int) -> Target:
        """Return the target with each A as a product of so many components, its truncated SVD.

        It returns the target itself where that would not make products cheaper.
        """
        m, q = self._whole.shape[1:]
        if components * (m + q) >= _WORTHWHILE * m * q:
            return self._whole
        if not self._grams:
            self._grams = [one @ one.T if m < q else one.T @ one for one in self._whole.left]
        xp = namespace(self._whole.left)
        parts = [
            _projected(one, self._basis(gram, components))
            for one, gram in zip(self._whole.left, self._grams, strict=True)
        ]
        left, right = (xp.stack(side) for side in zip(*parts, strict=True))
        return Target(left, _transposed(left), right, _transposed(right), self._whole.square)

    def _basis(self, gram: Array, components: int) -> Array:
        """Return the leading eigenvectors (short side, components) of a Gram matrix.

        Few of many come from subspace iteration, which leaves out what the matrix hardly has anyway
        (Halko, Martinsson & Tropp 2011, algorithm 4.4).
        """
        xp, short = namespace(gram), len(gram)
        if components * _FEW >= short:
            return xp.ascontiguousarray(xp.linalg.eigh(gram)[1][:, -components:])
        noise = np.random.default_rng(self._seed).standard_normal((short, components), np.float32)
        basis = xp.asarray(noise)
        for _ in range(_POWER_STEPS):
            basis = xp.linalg.qr(gram @ basis)[0]
        return basis


def _projected(a: Array, basis: Array) -> tuple[Array, Array]:
    """Return the factors of `a` (m, q), projected on an orthonormal basis of its short side."""
    if a.shape[0] < a.shape[1]:
        return basis, basis.T @ a
    return a @ basis, namespace(a).ascontiguousarray(basis.T)
