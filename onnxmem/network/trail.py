"""What an earlier cut captured, so that a later one need not run the network from its inputs.

Without it the heads of all layers together take time with the square of their number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, take_rows
from onnxmem.graph import Cut
from onnxmem.network.activations import Activations

Key = tuple[str, int]
"""A kind of batches and the number of one."""


@dataclass(frozen=True, slots=True)
class Captured:
    """All batches at a cut, where samples lie along the first axis.

    Attributes:
        cut: where.
        batches: by their keys.
        along: names of the crossing tensors that lie along the samples.
    """

    cut: Cut
    batches: Mapping[Key, Activations]
    along: Collection[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that are known, none of them an input of the network."""
        return (self.cut.tensor, *self.cut.crossing)

    @property
    def nbytes(self) -> int:
        """Bytes that the batches take."""
        return sum(one.nbytes for one in self.batches.values())

    @property
    def is_exact(self) -> bool:
        """Whether tensors can be had as they were, neither rounded nor without their padding."""
        pieces = [piece for one in self.batches.values() for piece in one.pieces]
        return all(str(p.tensor.dtype) == "float32" and p.kept is None for p in pieces)

    def parts(
        self, key: Key, count: int, step: int
    ) -> Iterator[tuple[np.ndarray, dict[str, Array]]]:
        """Yield the first `count` samples of a batch, `step` at a time, with their tensors."""
        whole, first = self.batches[key], 0
        for piece, tensor in zip(whole.pieces, whole.tensors(whole.matrix()), strict=True):
            for start in range(0, min(piece.samples, count - first), step):
                chosen = np.arange(start, min(start + step, piece.samples, count - first))
                others = piece.take(chosen, self.along).others
                crossing = {name: others[name] for name in self.cut.crossing}
                yield first + chosen, {self.cut.tensor: take_rows(tensor, chosen), **crossing}
            first += piece.samples


@dataclass(slots=True)
class Trail:
    """What was captured last, None before anything was."""

    last: Captured | None = None
