"""Activations of one batch at one cut, as tensors and as the matrix that is factorized.

The samples of a batch pass through the head in pieces, as many at once as the memory budget and
the model allow. The activation matrix is the stack of all pieces; its approximation is taken
apart again in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from onnxmem.arrays import Array, namespace, take_rows, to_host
from onnxmem.factorize import Rows
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

    def take(self, chosen: np.ndarray, along: Collection[str]) -> Piece:
        """Return some of the samples, which lie along the first axis, for a changed tensor.

        Its own tensor tells no more than shape and type, unless some of its positions are padding.

        Args:
            chosen: their numbers in the piece.
            along: names of the other inputs that hold something for each sample.
        """
        others = {
            name: take_rows(array, chosen) if name in along else array
            for name, array in self.others.items()
        }
        if self.kept is None:
            return Piece(len(chosen), _hollow(self.tensor, len(chosen)), others)
        kept = take_rows(self.kept.reshape(self.samples, -1), chosen).reshape(-1)
        return Piece(len(chosen), take_rows(self.tensor, chosen), others, kept)


class Pick(NamedTuple):
    """Samples of a batch that go through the tail together, and their rows of its matrix."""

    activations: Activations
    rows: Rows

    @property
    def samples(self) -> int:
        """How many they are."""
        return self.activations.pieces[0].samples


@dataclass(frozen=True, slots=True)
class Activations:
    """All pieces of one batch.

    Attributes:
        pieces: in the order of the batch.
        feature_axis: the axis of the features.
        unit: the matrix holds the activations divided by this; see `layout.find_unit`.
        held: their matrix, if it is made.
    """

    pieces: tuple[Piece, ...]
    feature_axis: int
    unit: float = 1.0
    held: Array | None = None

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

    def equals(self, other: Activations) -> bool:
        """Tell whether both are made of the same pieces, to the bit."""
        same = len(self.pieces) == len(other.pieces)
        return same and all(map(_are_equal, self.pieces, other.pieces))

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
        if self.held is not None:
            return self.held
        parts = [self._matrix(piece) for piece in self.pieces]
        return parts[0] if len(parts) == 1 else namespace(parts[0]).concatenate(parts)

    def with_matrix(self) -> Activations:
        """Return the same with the matrix made, and without what can be made of it."""
        pieces = [
            piece
            if piece.kept is not None
            else replace(piece, tensor=_hollow(piece.tensor, len(piece.tensor)))
            for piece in self.pieces
        ]
        return replace(self, pieces=tuple(pieces), held=self.matrix())

    def picks(self, chosen: np.ndarray | None = None, along: Collection[str] = ()) -> list[Pick]:
        """Return samples as they go through the tail, piece by piece.

        Args:
            chosen: their numbers in the batch, ascending; None: all.
            along: see `Piece.take`.
        """
        found, top, first = [], 0, 0
        for piece in self.pieces:
            rows, last = self.rows(piece), first + piece.samples
            part = None if chosen is None else chosen[(chosen >= first) & (chosen < last)] - first
            if part is None or len(part) == piece.samples:
                found.append(Pick(self._alone(piece), slice(top, top + rows)))
            elif len(part):
                own = top + _rows_of(piece, part, rows)
                found.append(Pick(self._alone(piece.take(part, along)), own))
            top, first = top + rows, last
        return found

    def _alone(self, piece: Piece) -> Activations:
        return Activations((piece,), self.feature_axis, self.unit)

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


def _rows_of(piece: Piece, chosen: np.ndarray, rows: int) -> Array:
    """Return which of the `rows` of a piece's matrix are of some of its samples."""
    if piece.kept is None:
        each = rows // piece.samples
        found = (chosen[:, None] * each + np.arange(each)).reshape(-1)
    else:
        owners = to_host(piece.kept).reshape(piece.samples, -1).nonzero()[0]
        found = np.flatnonzero(np.isin(owners, chosen))
    return namespace(piece.tensor).asarray(found)


def _are_equal(one: Piece, other: Piece) -> bool:
    if one.samples != other.samples or one.others.keys() != other.others.keys():
        return False
    pairs = [(one.others[name], other.others[name]) for name in one.others]
    return all(
        a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())
        for a, b in [(one.tensor, other.tensor), *pairs]
    )


def _hollow(tensor: Array, samples: int) -> Array:
    """Return an array of the shape and type of a tensor with so many samples, without its values.

    It takes no memory.
    """
    xp = namespace(tensor)
    return xp.broadcast_to(xp.zeros((), tensor.dtype), (samples, *tensor.shape[1:]))
