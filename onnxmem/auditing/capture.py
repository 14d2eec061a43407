"""Activations of one cut for one batch, and the outputs that follow from changed ones.

The samples of a batch pass through the head in pieces, as many at once as the memory budget and
the model allow. The activation matrix is the stack of all pieces; its approximation is taken
apart again in the same way, and each piece goes through the tail together with the very
crossing tensors that were captured with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onnxmem.arrays import Array, namespace, take_rows
from onnxmem.auditing.layout import to_matrix, to_tensor
from onnxmem.auditing.network import Network
from onnxmem.errors import UsageError
from onnxmem.graph import Cut, with_input_types
from onnxmem.runtime import Session


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
class Capture:
    """All pieces of one batch."""

    pieces: tuple[Piece, ...]
    feature_axis: int

    @property
    def nbytes(self) -> int:
        """Bytes that the capture holds."""
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


class CutRunner:
    """Runs the two parts of one cut."""

    def __init__(
        self, network: Network, cut: Cut, inputs: Mapping[str, Array], shared: Mapping[str, Array]
    ) -> None:
        """Compile the head.

        Args:
            network: the model.
            cut: where it is cut.
            inputs: all samples of the audit, by input.
            shared: inputs that all samples have in common.
        """
        self.network, self.cut = network, cut
        self.inputs, self.shared = inputs, shared
        self._head = network.session(cut.head)
        self._tail: Session | None = None

    def capture(self, rows: np.ndarray, feature_axis: int, step: int) -> Capture:
        """Run the samples `rows` through the head, `step` at a time."""
        pieces = tuple(
            self._piece(rows[start : start + step]) for start in range(0, len(rows), step)
        )
        return Capture(pieces, feature_axis)

    def _piece(self, rows: np.ndarray) -> Piece:
        feeds = {name: take_rows(array, rows) for name, array in self.inputs.items()}
        feeds |= self.shared
        names = (self.cut.tensor, *self.cut.crossing)
        values = self._head.run({name: feeds[name] for name in self.cut.head.inputs}, names)
        captured = dict(zip(names, values, strict=True))
        for name, value in captured.items():
            if not hasattr(value, "dtype"):
                raise UsageError(f"the cut needs {name!r}, which is no tensor but a sequence")
        tensor = captured.pop(self.cut.tensor)
        direct = {name: feeds[name] for name in self.cut.direct}
        return Piece(len(rows), tensor, captured | direct)

    def outputs(self, capture: Capture, tensors: Sequence[Array] | None = None) -> list[Array]:
        """Return the model's output for each piece, after `tensors` in place of its own."""
        if tensors is None:
            tensors = [piece.tensor for piece in capture.pieces]
        return [
            self.output(replace(piece, tensor=tensor))
            for piece, tensor in zip(capture.pieces, tensors, strict=True)
        ]

    def output(self, piece: Piece) -> Array:
        """Return the model's output for a piece."""
        return self._run_tail(piece, self.cut.tail.outputs[:1])[0]

    def joined(self, piece: Piece) -> list[Array]:
        """Return all outputs of the tail for a piece."""
        return self._run_tail(piece, self.cut.tail.outputs)

    def prepare_tail(self, piece: Piece) -> None:
        """Compile the tail for pieces like this one, before several threads want it."""
        if self._tail is None:
            self._tail = self._compile_tail(piece)

    def _run_tail(self, piece: Piece, names: Sequence[str]) -> list[Array]:
        self.prepare_tail(piece)
        assert self._tail is not None
        return self._tail.run({self.cut.tensor: piece.tensor, **piece.others}, names)

    def _compile_tail(self, piece: Piece) -> Session:
        """Type the tail's inputs as they were captured, with axes that may follow the batch free.

        That is every axis whose size is a multiple of the number of samples: batches lie along
        axis 0 alone only in the plainest networks.
        """
        arrays = {self.cut.tensor: piece.tensor, **piece.others}
        types = {
            name: (
                np.dtype(array.dtype).name,
                tuple(None if size % piece.samples == 0 else int(size) for size in array.shape),
            )
            for name, array in arrays.items()
        }
        return self.network.session(with_input_types(self.cut.tail, types))
