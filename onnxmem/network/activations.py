"""Activations of one batch at one cut, as tensors and as the matrix that is factorized.

The samples of a batch pass through the head in pieces, as many at once as the memory budget and
the model allow. The activation matrix is the stack of all pieces; its approximation is taken
apart again in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace, to_host
from onnxmem.network.layout import to_matrix, to_tensor


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples that ran together.

    Attributes:
        samples: how many.
        tensor: what the cut gives.
        others: the other inputs of the tail.
        kept: (rows,) which rows of its matrix take part, None for all; others are padding.
    """

    samples: int
    tensor: Array
    others: Mapping[str, Array]
    kept: Array | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that the piece holds."""
        return int(self.tensor.nbytes) + sum(int(array.nbytes) for array in self.others.values())


@dataclass(frozen=True, slots=True)
class Activations:
    """All pieces of one batch.

    Attributes:
        pieces: in the order of the batch.
        feature_axis: the axis of the features.
        unit: the matrix holds the activations divided by this; see `layout.find_unit`.
    """

    pieces: tuple[Piece, ...]
    feature_axis: int
    unit: float = 1.0

    @property
    def nbytes(self) -> int:
        """Bytes that they hold."""
        return sum(piece.nbytes for piece in self.pieces)

    def broken(self) -> np.ndarray:
        """Return the samples of the batch whose activations are not all finite.

        Those of which samples do not lie along axis 0, or some positions are padding, are not told.
        """
        found, start = [np.empty(0, np.int64)], 0
        for piece in self.pieces:
            if piece.kept is None and len(piece.tensor) == piece.samples:
                xp = namespace(piece.tensor)
                flat = piece.tensor.reshape(piece.samples, -1)
                found.append(start + to_host(xp.flatnonzero(~xp.isfinite(flat).all(axis=1))))
            start += piece.samples
        return np.concatenate(found)

    def rows(self, piece: Piece) -> int:
        """Return how many rows of the activation matrix are of a piece."""
        if piece.kept is not None:
            return int(piece.kept.sum())
        return int(piece.tensor.size) // int(piece.tensor.shape[self.feature_axis])

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """The shape of the activation matrix."""
        features = int(self.pieces[0].tensor.shape[self.feature_axis])
        return sum(map(self.rows, self.pieces)), features

    def matrix(self) -> Array:
        """Return the activation matrix (samples x positions, features), float32."""
        parts = [self._matrix(piece) for piece in self.pieces]
        return parts[0] if len(parts) == 1 else namespace(parts[0]).concatenate(parts)

    def tensors(self, matrix: Array) -> list[Array]:
        """Return what takes the place of each piece's tensor, from an approximation."""
        tensors, start = [], 0
        for piece in self.pieces:
            stop = start + self.rows(piece)
            part = matrix[start:stop]
            if piece.kept is not None:
                whole = self._whole(piece).copy()
                whole[piece.kept] = part
                part = whole
            tensors.append(to_tensor(part, piece.tensor, self.feature_axis, self.unit))
            start = stop
        return tensors

    def _matrix(self, piece: Piece) -> Array:
        matrix = self._whole(piece)
        return matrix if piece.kept is None else matrix[piece.kept]

    def _whole(self, piece: Piece) -> Array:
        return to_matrix(piece.tensor, self.feature_axis, self.unit)
