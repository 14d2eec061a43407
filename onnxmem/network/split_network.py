"""A network in two: the head gives activations, the tail says what follows from changed ones.

Each piece of a batch goes through the tail together with the very crossing tensors that were
captured with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from onnxmem.arrays import Array, take_rows
from onnxmem.errors import UsageError
from onnxmem.graph import Cut, resume
from onnxmem.network.activations import Activations, Piece
from onnxmem.network.layout import find_unit, kept_rows
from onnxmem.network.network import Network
from onnxmem.network.padding import Padding
from onnxmem.network.trail import Captured, Key
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
        earlier: Captured | None = None,
    ) -> None:
        """Compile the head, or its part behind an earlier cut.

        Args:
            network: the model.
            cut: where it is cut.
            inputs: all samples, by input.
            shared: inputs that all samples have in common.
            padding: what tells which positions of the samples are real.
            earlier: what was captured at an earlier cut.
        """
        self.network, self.cut = network, cut
        self.inputs, self.shared, self.padding = inputs, shared, padding
        self._earlier, self._head_part = earlier, cut.head
        if earlier is not None:
            missing = [name for name in (cut.tensor, *cut.crossing) if name not in earlier.names]
            self._head_part = resume(network.model, earlier.names, missing)
        self._head = network.session(self._head_part)
        self._tail: Session | None = None

    def capture(
        self, rows: np.ndarray, feature_axis: int, step: int, key: Key | None = None
    ) -> Activations:
        """Run the samples `rows` through the head, `step` at a time.

        `key` says which batch they are, or begin; it is needed where there is an earlier cut.
        """
        steps = self._steps(rows, step, key)
        pieces = tuple(self._piece(some, feature_axis, known) for some, known in steps)
        return Activations(pieces, feature_axis, find_unit([piece.tensor for piece in pieces]))

    def _steps(
        self, rows: np.ndarray, step: int, key: Key | None
    ) -> Iterator[tuple[np.ndarray, Mapping[str, Array]]]:
        """Yield samples that run together, and what is known of them from an earlier cut."""
        if self._earlier is None:
            for start in range(0, len(rows), step):
                yield rows[start : start + step], {}
        else:
            assert key is not None
            for chosen, known in self._earlier.parts(key, len(rows), step):
                yield rows[chosen], known

    def _piece(self, rows: np.ndarray, feature_axis: int, known: Mapping[str, Array]) -> Piece:
        feeds = {name: take_rows(array, rows) for name, array in self.inputs.items()}
        feeds |= {**self.shared, **known}
        names = (self.cut.tensor, *self.cut.crossing)
        missing = [name for name in names if name not in known]
        values = self._head.run({name: feeds[name] for name in self._head_part.inputs}, missing)
        captured = {name: known[name] for name in names if name in known}
        captured |= zip(missing, values, strict=True)
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
