"""What a sweep yields."""

from __future__ import annotations

from dataclasses import dataclass

from onnxmem.arrays import Array


@dataclass(frozen=True, slots=True)
class Factors:
    """A non-negative factorization A ≈ W H of one rank.

    Attributes:
        rank: k, the number of components.
        w: (m, k) float32 >= 0.
        h: (k, q) float32 >= 0.
        error: ‖A − W H‖ / ‖A‖ (Frobenius), measured from the product; 0 where A is all zero.
        kkt: how far the pair is from a stationary point: the larger of the norms of the two
            projected gradients, each divided by the gradient's data term (‖W'A‖, ‖A H'‖).
            0 at a stationary point, of the order of 1 far from any; independent of A's scale.
    """

    rank: int
    w: Array
    h: Array
    error: float
    kkt: float
