"""One layer of an evaluation: its activations, self-check, and what follows from other ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from onnxmem.arrays import Array
from onnxmem.data import Batch
from onnxmem.errors import DataError, ModelRefusedError, OutOfMemoryError
from onnxmem.graph import Site, split
from onnxmem.network.activations import Activations
from onnxmem.network.evaluation import Evaluation
from onnxmem.network.memory import Load, divide, largest_stack
from onnxmem.network.outputs import deviation
from onnxmem.network.split_network import SplitNetwork
from onnxmem.network.stacking import Stacker, find_stacker, stack_up
from onnxmem.text import listed

T = TypeVar("T")
R = TypeVar("R")


class SkipError(Exception):
    """The layer cannot be measured; the message says why."""


class LayerRun:
    """The work on one layer; its activations are kept while the memory budget allows it."""

    def __init__(self, site: Site, evaluation: Evaluation) -> None:
        """Cut the model and run a few samples, to see how large the tensors are.

        Raises:
            OutOfMemoryError: the memory budget does not hold a single batch.
        """
        self.evaluation = evaluation
        network = evaluation.network
        self.cut = split(network.model, site.tensor, network.output)
        self.split = SplitNetwork(
            network, self.cut, evaluation.inputs, evaluation.shared, evaluation.padding
        )
        few = np.arange(network.batch or min(2, len(evaluation.truth)))
        probe = self.split.capture(few, site.feature_axis or 0, len(few))
        tensor = probe.pieces[0].tensor
        self.axis, self.signed = feature_axis(site, tensor), site.signed
        self.shape = (None, *map(int, tensor.shape[1:]))
        self._features = int(tensor.shape[self.axis])
        self._positions = int(tensor.size) // self._features // len(few)
        kinds = evaluation.kinds
        self.load = Load(
            captured=probe.nbytes // len(few),
            largest=network.largest,
            batch=max(len(batch.rows) for kind in kinds for batch in evaluation.batches(kind)),
            samples=len(evaluation.truth) * len(kinds),
            native=network.batch,
            whole=bool(self.cut.whole_batch) or not evaluation.separable,
            tail=network.largest_after(site.tensor),
            stack=largest_stack(network.device.is_cuda),
        )
        self.share = divide(self.load, network.memory, network.workers.count)
        self._stacker: Stacker | None = None
        self._kept: dict[tuple[str, int], Activations] = {}
        self._unchanged: dict[tuple[str, int], np.ndarray] = {}
        self._lost: set[int] = set()
        self._limits: dict[tuple[str, int], tuple[int, int]] = {}
        self._correct: dict[tuple[str, float], np.ndarray] = {}

    def matrix_shape(self, kind: str, number: int) -> tuple[int, int]:
        """Return the shape of the activation matrix of a batch."""
        return len(self.evaluation.batches(kind)[number].rows) * self._positions, self._features

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply `function` to batches, as many at once as the memory budget allows."""
        return self.evaluation.network.workers.map(function, items, self.share.side_by_side)

    def map_captured(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Do what `map` does where the work begins with activations that are captured."""
        return self.evaluation.network.workers.map(function, items, self.share.scored_at_once)

    def capture(self, kind: str, number: int) -> Activations:
        """Return the activations of one batch, from the memory or the head."""
        key = (kind, number)
        if key in self._kept:
            return self._kept[key]
        rows = self.evaluation.batches(kind)[number].rows
        with self.evaluation.clock.stage("head"):
            capture = self.split.capture(rows, self.axis, self.share.step)
        if self.share.keep:
            self._kept[key] = capture
        return capture

    def check(self) -> float:
        """Return how far the tail of the uncompressed tensor is from the model, on all batches."""
        numbered = [key for kind in self.evaluation.kinds for key in self.numbers(kind)]
        self.split.prepare_tail(self.capture(*numbered[0]).pieces[0])
        worst = max(self.map(self._deviation, numbered))
        self._require_finite()
        if self.share.stack:
            captures = [self.capture(*key) for key in numbered]
            with self.evaluation.clock.stage("tail"):
                self._stacker = find_stacker(self.split, captures)
        return worst

    def _require_finite(self) -> None:
        """Check that no captured activation was found that is not finite.

        Raises:
            DataError: some are; the message names the samples.
        """
        if not self._lost:
            return
        lost, called = sorted(self._lost), self.evaluation.called
        noun = "sample" if len(lost) == 1 else "samples"
        raise DataError(
            f"NaN or infinite activations for {len(lost)} {noun}: "
            f"{listed([called[row] for row in lost])}; look for such weights, or leave those "
            "samples out"
        )

    def stacks(self, batches: Sequence[Batch]) -> list[slice]:
        """Divide batches into those that go through the tail together: mostly one by one."""
        limit = self.share.stack if self._stacker else 0
        return list(stack_up([len(batch.rows) for batch in batches], limit))

    def _deviation(self, key: tuple[str, int]) -> float:
        kind, number = key
        capture = self.capture(kind, number)
        rows = self.evaluation.batches(kind)[number].rows
        self._lost.update(rows[capture.broken()].tolist())
        self._limits[key] = _limits(capture)
        with self.evaluation.clock.stage("tail"):
            outputs = self.split.outputs(capture)
        self._unchanged[key] = self._hits(outputs, rows)
        expected, start, worst = self.evaluation.reference[kind][number], 0, 0.0
        for piece, output in zip(capture.pieces, outputs, strict=True):
            part = expected[start : start + piece.samples]
            worst, start = max(worst, deviation(output, part)), start + piece.samples
        return worst

    def hits(
        self,
        keys: Sequence[tuple[str, int]],
        captures: Sequence[Activations],
        approximations: Sequence[Array],
    ) -> list[np.ndarray]:
        """Return for each of some batches which samples are correct after an approximation.

        Several go through the tail together; see `stacks`.
        """
        if not keys:
            return []
        with self.evaluation.clock.stage("tail"):
            outputs = self._outputs(captures, approximations)
        rows = [self.evaluation.batches(kind)[number].rows for kind, number in keys]
        return list(map(self._hits, outputs, rows))

    def _outputs(
        self, captures: Sequence[Activations], approximations: Sequence[Array]
    ) -> list[list[Array]]:
        """Run the tail once, or for one batch after the other where it does not take so many."""
        if len(captures) > 1 and (stacker := self._stacker):
            try:
                return stacker.outputs(captures, approximations)
            except (ModelRefusedError, OutOfMemoryError):
                self._stacker = None
        return [
            self.split.outputs(capture, capture.tensors(approximation))
            for capture, approximation in zip(captures, approximations, strict=True)
        ]

    def unchanged_hits(self, kind: str, number: int) -> np.ndarray:
        """Return which samples of a batch are correct after the uncompressed tensor."""
        return self._unchanged[kind, number]

    def _hits(self, outputs: Sequence[Array], rows: np.ndarray) -> np.ndarray:
        predicted = np.concatenate([self.evaluation.network.predict(one) for one in outputs])
        return np.asarray(predicted == self.evaluation.truth[rows])

    def known(self, change: str, level: float) -> np.ndarray | None:
        """Return the hits (draws, samples) after a change, if another kind of batch told them."""
        return self._correct.get((change, level))

    def remember(self, change: str, level: float, correct: np.ndarray) -> None:
        """Keep the hits (draws, samples) after a change that treats each sample by itself.

        They hold for other kinds of batches where no output depends on the rest of its batch.
        """
        if self.evaluation.independent:
            self._correct[change, level] = correct

    def numbers(self, kind: str) -> list[tuple[str, int]]:
        """Return the keys of the batches of a kind."""
        return [(kind, number) for number in range(len(self.evaluation.batches(kind)))]

    def limit(self, key: tuple[str, int], *, parts: bool = False) -> int:
        """Return the rank from which on any approximation of this batch can be exact.

        With `parts` it is that of the positive and the negative part side by side.
        """
        if key not in self._limits:
            self._limits[key] = _limits(self.capture(*key))
        return self._limits[key][parts]


def _limits(activations: Activations) -> tuple[int, int]:
    """Return min(live rows, live columns) of a matrix, and of its parts side by side."""
    matrix = activations.matrix()
    rows, columns = (int(matrix.any(axis=axis).sum()) for axis in (1, 0))
    halves = int((matrix > 0).any(axis=0).sum() + (matrix < 0).any(axis=0).sum())
    return max(1, min(rows, columns)), max(1, min(rows, halves))


def feature_axis(site: Site, tensor: Array) -> int:
    """Return the axis of the features as a number from 0 on."""
    if tensor.ndim < 2:
        raise SkipError(f"the tensor has shape {tuple(tensor.shape)}: no axis of features")
    if str(tensor.dtype) not in ("float16", "float32", "float64"):
        raise SkipError(f"the tensor holds {tensor.dtype}: only floats can be factorized")
    axis = site.feature_axis
    if axis is None and tensor.ndim > 2:
        raise SkipError("the axis of the features cannot be told from the graph")
    axis = int((-1 if axis is None else axis) % tensor.ndim)
    if axis == 0:
        raise SkipError("the features lie along the axis of the samples")
    return axis
