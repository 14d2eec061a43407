"""The matrix that is factorized, as the iterations see it: two products and a norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from onnxmem.arrays import Array, namespace


@dataclass(frozen=True, slots=True)
class Target:
    """A matrix A (m, q), or its truncated SVD where that makes the two products cheaper.

    Attributes:
        left: (m, r), orthonormal columns times singular values; A itself when not compressed.
        right: (r, q), orthonormal rows; None when not compressed.
        square: ‖A‖², of the whole of A in both cases.
    """

    left: Array
    right: Array | None
    square: float

    @classmethod
    def of(cls, a: Array, components: int) -> Self:
        """Take `a` (m, q) float32, compressed to `components` where that saves work."""
        xp = namespace(a)
        m, q = a.shape
        square = float(xp.vdot(a, a))
        if components * (m + q) >= 0.8 * m * q:
            return cls(a, None, square)
        return cls(*_truncated_svd(a, components), square)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (m, q) of A."""
        return self.left.shape[0], (self.left if self.right is None else self.right).shape[1]

    def times(self, h: Array) -> Array:
        """Return h Aᵀ, (k, m), for h (k, q)."""
        return h @ self.left.T if self.right is None else (h @ self.right.T) @ self.left.T

    def transposed_times(self, w: Array) -> Array:
        """Return w A, (k, q), for w (k, m)."""
        return w @ self.left if self.right is None else (w @ self.left) @ self.right


def _truncated_svd(a: Array, components: int) -> tuple[Array, Array]:
    """Return (U S, V) of the leading components, through the Gram matrix of the short side."""
    xp = namespace(a)
    m, q = a.shape
    gram = a @ a.T if m < q else a.T @ a
    _, vectors = xp.linalg.eigh(gram)
    basis = xp.ascontiguousarray(vectors[:, ::-1][:, :components])
    if m < q:
        return basis, basis.T @ a
    return a @ basis, xp.ascontiguousarray(basis.T)
