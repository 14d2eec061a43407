"""Random ablation: columns of the matrix set to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.errors import FactorizationError
from onnxmem.factorize.interface import LevelName, Run, check_matrix, one_by_one


@dataclass(frozen=True, slots=True)
class Ablation:
    """Keep a random share of the columns (units or channels) and zero the rest.

    Attributes:
        masks: how many random choices there are for each fraction. Within one draw the choices
            are nested: what a smaller fraction keeps, a larger one keeps too.
    """

    masks: int = 3
    name: str = "ablation"
    x_name: LevelName = "fraction"
    row_by_row: bool = True
    parts: bool = False

    def fit(self, a: Array, levels: tuple[float, ...], seed: int) -> AblatedColumns:
        """Draw the orders in which columns are kept; see `Compressor.fit`."""
        check_matrix(a, signed=True)
        for level in levels:
            if not 0 <= level <= 1:
                raise FactorizationError(f"no fraction {level}; give numbers between 0 and 1")
        rng = np.random.default_rng(seed)
        return AblatedColumns(np.stack([rng.permutation(a.shape[1]) for _ in range(self.masks)]))

    def fit_many(
        self, matrices: Sequence[Array], levels: tuple[float, ...], seed: int, run: Run = one_by_one
    ) -> list[AblatedColumns]:
        """Fit one matrix after the other; see `Compressor.fit_many`."""
        return run(lambda a: self.fit(a, levels, seed), matrices)

    def is_exact(self, level: float, limit: int) -> bool:
        """Tell whether all columns are kept; see `Compressor`."""
        return level == 1

    def held_bytes(self, shape: tuple[int, int], levels: tuple[float, ...]) -> int:
        """Count the orders; see `Compressor`."""
        return 8 * self.masks * shape[1]


@dataclass(frozen=True, slots=True)
class AblatedColumns:
    """`orders`: (masks, q), for each draw the columns in the order in which they are kept."""

    orders: np.ndarray

    def draws(self, level: float) -> int:
        """Return the number of masks; 1 where all columns or none are kept."""
        return len(self.orders) if 0 < level < 1 else 1

    def approximate(self, a: Array, level: float, draw: int = 0) -> Array:
        """Return `a` with all but round(level * q) columns zeroed; see `Compressed`."""
        xp = namespace(a)
        order = self.orders[draw]
        kept = order[: round(level * len(order))]
        if len(kept) == len(order):
            return a.astype(xp.float32, copy=False)
        mask = np.zeros(len(order), np.float32)
        mask[kept] = 1
        return a.astype(xp.float32) * xp.asarray(mask)
