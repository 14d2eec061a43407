"""Activations of one batch at one cut, as tensors and as the matrix that is factorized.

The samples of a batch pass through the head in pieces, as many at once as the memory budget and
the model allow. The activation matrix is the stack of all pieces; its approximation is taken
apart again in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onnxmem.arrays import Array, namespace
from onnxmem.network.layout import to_matrix, to_tensor


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples that ran together: the cut's tensor, and the other inputs of the tail."""

    samples: int
    tensor: Array
    others: Mapping[str, Array]

    @property
    def nbytes(self) -> int:
        """Bytes that the piece holds."""
        return int(self.tensor.nbytes) + sum(int(array.nbytes) for array in self.others.values())


@dataclass(frozen=True, slots=True)
class Activations:
    """All pieces of one batch, and the axis of its features."""

    pieces: tuple[Piece, ...]
    feature_axis: int

    @property
    def nbytes(self) -> int:
        """Bytes that they hold."""
        return sum(piece.nbytes for piece in self.pieces)

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """The shape of the activation matrix."""
        features = int(self.pieces[0].tensor.shape[self.feature_axis])
        return sum(int(piece.tensor.size) for piece in self.pieces) // features, features

    def matrix(self) -> Array:
        """Return the activation matrix (samples x positions, features), float32."""
        parts = [to_matrix(piece.tensor, self.feature_axis) for piece in self.pieces]
        return parts[0] if len(parts) == 1 else namespace(parts[0]).concatenate(parts)

    def tensors(self, matrix: Array) -> list[Array]:
        """Return what takes the place of each piece's tensor, from an approximation."""
        tensors, start = [], 0
        for piece in self.pieces:
            features = piece.tensor.shape[self.feature_axis]
            stop = start + piece.tensor.size // features
            tensors.append(to_tensor(matrix[start:stop], piece.tensor, self.feature_axis))
            start = stop
        return tensors
