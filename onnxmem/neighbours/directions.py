"""Features as directions from their mean, whose angles are compared."""

from __future__ import annotations

from dataclasses import dataclass

from onnxmem.arrays import Array, namespace

_FLAT = 1e-6
"""Features that vary by less, beside the largest of them, do not vary but by rounding."""


@dataclass(frozen=True, slots=True)
class Directions:
    """How features of one kind become directions.

    Attributes:
        largest: the largest feature, as a number that all are divided by.
        mean: (features,) of those that the directions were learned from, so divided.
    """

    largest: float
    mean: Array

    @classmethod
    def of(cls, features: Array) -> Directions:
        """Learn from features (samples, features), float32."""
        xp = namespace(features)
        largest = float(xp.abs(features).max()) or 1.0
        mean = (features / largest).mean(axis=0, dtype=xp.float64)
        return cls(largest, mean.astype(xp.float32))

    def __call__(self, features: Array) -> Array:
        """Return features as directions (samples, features) of length 1; 0 where there is none."""
        xp = namespace(features)
        moved = features / xp.float32(self.largest) - self.mean
        lengths = xp.sqrt((moved * moved).sum(axis=1, keepdims=True))
        return xp.where(lengths > _FLAT, moved / xp.maximum(lengths, 1e-30), xp.float32(0))
