"""The matrix that is factorized, as the iterations see it: two products and a norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from onnxmem.arrays import Array, namespace

_WORTHWHILE = 0.8


@dataclass(frozen=True, slots=True)
class Target:
    """A matrix A (m, q), or its truncated singular value decomposition where that is cheaper.

    Attributes:
        left: (m, r); A itself when not compressed.
        right: (r, q), A ≈ left right; None when not compressed.
        square: ‖A‖², of the whole of A in both cases.
    """

    left: Array
    right: Array | None
    square: float

    @classmethod
    def whole(cls, a: Array) -> Self:
        """Take `a` (m, q) float32 as it is."""
        return cls(a, None, float(namespace(a).vdot(a, a)))

    @classmethod
    def of(cls, a: Array, components: int) -> Self:
        """Take `a` (m, q) float32, compressed to `components` where that makes products cheaper."""
        whole = cls.whole(a)
        if components * sum(a.shape) >= _WORTHWHILE * a.size:
            return whole
        return cls(*_truncated_svd(a, components), whole.square)

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
    """Project `a` on its leading singular vectors, through the Gram matrix of the short side."""
    xp = namespace(a)
    wide = a.shape[0] < a.shape[1]
    vectors = xp.linalg.eigh(a @ a.T if wide else a.T @ a)[1]
    basis = xp.ascontiguousarray(vectors[:, -components:])
    return (basis, basis.T @ a) if wide else (a @ basis, xp.ascontiguousarray(basis.T))
