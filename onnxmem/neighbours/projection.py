"""Long features made short: a Gaussian random projection that is drawn block by block.

Angles between projected features are those between the features, but for some hundredths.

Source: Johnson & Lindenstrauss (1984); Dasgupta & Gupta (2003), An elementary proof of a theorem
of Johnson and Lindenstrauss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxmem.arrays import Array, namespace

LONGEST = 512
"""Features that are kept as they are."""

SHORT = 256
"""Features that longer ones are brought to."""

_ROWS = 4096
"""Features of a block; each block is drawn by itself, whatever the length of the features."""


class Projection:
    """One projection for features of any length.

    Shorter features meet the first blocks that longer ones meet, so one drawing serves all.
    """

    def __init__(self, seed: int, memory: int) -> None:
        """Draw nothing yet.

        Args:
            seed: of the drawing.
            memory: bytes of drawn blocks to keep; others are drawn again for every use.
        """
        self._seed, self._most = seed, memory // (4 * _ROWS * SHORT)
        self._kept: dict[int, Array] = {}

    def __call__(self, features: Array) -> Array:
        """Return features (samples, length) as (samples, at most LONGEST), float32.

        Args:
            features: (samples, length) floats.
        """
        xp = namespace(features)
        if features.shape[1] <= LONGEST:
            return features.astype(xp.float32, copy=False)
        short = xp.zeros((len(features), SHORT), xp.float32)
        for number, start in enumerate(range(0, features.shape[1], _ROWS)):
            part = features[:, start : start + _ROWS].astype(xp.float32, copy=False)
            short += part @ self._block(xp, number)[: part.shape[1]]
        return short

    def _block(self, xp: Any, number: int) -> Array:
        """Return the rows (_ROWS, SHORT) of a block."""
        if number in self._kept:
            return self._kept[number]
        rng = np.random.default_rng([self._seed, 0x9A55, number])
        block = xp.asarray(rng.standard_normal((_ROWS, SHORT), np.float32))
        if len(self._kept) < self._most:
            self._kept[number] = block
        return block


def width(length: int) -> int:
    """Return how many features remain of so many."""
    return length if length <= LONGEST else SHORT
