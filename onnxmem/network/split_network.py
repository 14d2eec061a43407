"""A network in two: the head gives activations, the tail says what follows from changed ones.

Each piece of a batch goes through the tail together with the very crossing tensors that were
captured with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from onnxmem.arrays import Array, take_rows
from onnxmem.errors import UsageError
from onnxmem.graph import Cut
from onnxmem.network.activations import Activations, Piece
from onnxmem.network.layout import find_unit, kept_rows
from onnxmem.network.network import Network
from onnxmem.network.padding import Padding
from onnxmem.runtime import Session


class SplitNetwork:
    """The head and the tail of one cut, compiled."""

    def __init__(
        self,
        network: Network,
        cut: Cut,
        inputs: Mapping[str, Array],
        shared: Mapping[str, Array],
        padding: Padding | None = None,
    ) -> None:
        """Compile the head.

        Args:
            network: the model.
            cut: where it is cut.
            inputs: all samples, by input.
            shared: inputs that all samples have in common.
            padding: what tells which positions of the samples are real.
        """
        self.network, self.cut = network, cut
        self.inputs, self.shared, self.padding = inputs, shared, padding
        self._head = network.session(cut.head)
        self._tail: Session | None = None

    def capture(self, rows: np.ndarray, feature_axis: int, step: int) -> Activations:
        """Run the samples `rows` through the head, `step` at a time."""
        pieces = tuple(
            self._piece(rows[start : start + step], feature_axis)
            for start in range(0, len(rows), step)
        )
        return Activations(pieces, feature_axis, find_unit([piece.tensor for piece in pieces]))

    def _piece(self, rows: np.ndarray, feature_axis: int) -> Piece:
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
        kept = None
        if self.padding is not None:
            kept = kept_rows(tensor, feature_axis, self.padding.kept(feeds))
        return Piece(len(rows), tensor, captured | direct, kept)

    def outputs(
        self, activations: Activations, tensors: Sequence[Array] | None = None
    ) -> list[Array]:
        """Return the model's output for each piece, after `tensors` in place of its own."""
        if tensors is None:
            tensors = [piece.tensor for piece in activations.pieces]
        return [
            self.output(replace(piece, tensor=tensor))
            for piece, tensor in zip(activations.pieces, tensors, strict=True)
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
        """Compile the tail for inputs as they were captured."""
        arrays = {self.cut.tensor: piece.tensor, **piece.others}
        return self.network.session_for(self.cut.tail, arrays, piece.samples)
