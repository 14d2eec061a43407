"""One layer of an evaluation: its activations, self-check, and what follows from other ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from onnxmem.arrays import Array
from onnxmem.errors import DataError, ModelRefusedError, OutOfMemoryError
from onnxmem.graph import Site, split
from onnxmem.network.activations import Activations, Pick
from onnxmem.network.evaluation import Evaluation
from onnxmem.network.memory import Load, divide, largest_stack
from onnxmem.network.outputs import deviation
from onnxmem.network.split_network import SplitNetwork
from onnxmem.network.stacking import Stacker, find_stacker, stack_up
from onnxmem.network.trail import Captured
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
        self.split = self._split(evaluation.trail.last)
        key = (evaluation.kinds[0], 0)
        rows = evaluation.batches(evaluation.kinds[0])[0].rows
        few = rows[: network.batch or 2]
        probe = self.split.capture(few, site.feature_axis or 0, len(few), key)
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
            stack=largest_stack(network.device.is_cuda, network.weights_after(site.tensor)),
        )
        self.share = divide(self.load, network.memory, network.workers.count)
        if (last := evaluation.trail.last) and (
            self.share.peak + last.nbytes > network.memory or not self._is_as_from_inputs(key)
        ):
            evaluation.trail.last, self.split = None, self._split(None)
        self._stacker: Stacker | None = None
        self._along: frozenset[str] | None = None
        self._kept: dict[tuple[str, int], Activations] = {}
        self._unchanged: dict[tuple[str, int], np.ndarray] = {}
        self._lost: set[int] = set()
        self._limits: dict[tuple[str, int], tuple[int, int]] = {}
        self._told: dict[tuple[str, tuple[float, ...]], Any] = {}

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
            capture = self.split.capture(rows, self.axis, self.share.step, key)
        if self.share.keep:
            self._kept[key] = capture
        return capture

    @property
    def by_sample(self) -> bool:
        """Whether samples of a batch may go through the tail without the others."""
        return self._along is not None

    def check(self) -> float:
        """Return how far the tail of the uncompressed tensor is from the model, on all batches."""
        numbered = [key for kind in self.evaluation.kinds for key in self.numbers(kind)]
        ends = [self.capture(*numbered[place]) for place in (0, -1)]
        self.split.prepare_tail(ends[0].pieces[0])
        others = self.map(lambda key: self._deviation(key, self.capture(*key)), numbered[:-1])
        worst = max([*others, self._deviation(numbered[-1], ends[1])])
        self._require_finite()
        if self.share.keep:
            ends = [self.capture(*key) for key in numbered]
        if not self.load.whole and self.load.native is None and all(map(_lies_by_sample, ends)):
            with self.evaluation.clock.stage("tail"):
                self._stacker = find_stacker(self.split, ends)
            self._along = None if self._stacker is None else self._stacker.along
        self._kept = {key: capture.with_matrix() for key, capture in self._kept.items()}
        if self.share.keep and self._along is not None:
            left = Captured(self.cut, self._kept, self._along)
            self.evaluation.trail.last = left if left.is_exact else None
        return worst

    def _is_as_from_inputs(self, key: tuple[str, int]) -> bool:
        """Tell whether what comes of an earlier cut equals what comes of the inputs, to the bit.

        Then scores of a layer do not depend on which others are measured, or were before.
        """
        rows = self.evaluation.batches(key[0])[key[1]].rows
        step = self.share.step
        behind = self.split.capture(rows, self.axis, step, key)
        return behind.equals(self._split(None).capture(rows, self.axis, step))

    def _split(self, earlier: Captured | None) -> SplitNetwork:
        """Return the network in two, whose head begins at an earlier cut if that lies before it."""
        evaluation = self.evaluation
        if earlier is not None and self.cut.tensor in earlier.names:
            earlier = None
        given = evaluation.inputs, evaluation.shared, evaluation.padding
        return SplitNetwork(evaluation.network, self.cut, *given, earlier)

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

    def picks(self, capture: Activations, chosen: np.ndarray) -> list[Pick]:
        """Return samples of a batch, by their numbers in it, as they go through the tail."""
        return capture.picks() if self._along is None else capture.picks(chosen, self._along)

    def stacks(self, sizes: Sequence[int]) -> list[slice]:
        """Divide picks of so many samples into those that go through the tail together."""
        limit = max(self.share.stack, self.share.step) if self._stacker else 0
        return list(stack_up(sizes, limit))

    def _deviation(self, key: tuple[str, int], capture: Activations) -> float:
        kind, number = key
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

    def predicted(
        self, picked: Sequence[Activations], approximations: Sequence[Array]
    ) -> list[np.ndarray]:
        """Return the classes that are predicted for some picks after approximations.

        They go through the tail together; see `stacks`.
        """
        with self.evaluation.clock.stage("tail"):
            outputs = self._outputs(picked, approximations)
        return [self.evaluation.network.predict(one) for (one,) in outputs]

    def _outputs(
        self, captures: Sequence[Activations], approximations: Sequence[Array]
    ) -> list[list[Array]]:
        """Run the tail once, or for one pick after the other where it does not take so many."""
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

    def known(self, change: str, levels: tuple[float, ...]) -> Any:
        """Return what became of samples after a change, None if no other kind of batch told it."""
        return self._told.get((change, levels))

    def remember(self, change: str, levels: tuple[float, ...], told: object) -> None:
        """Keep what became of samples after a change that treats each of them by itself.

        It holds for other kinds of batches where no output depends on the rest of its batch.
        """
        if self.evaluation.independent:
            self._told[change, levels] = told

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


def _lies_by_sample(activations: Activations) -> bool:
    """Tell whether samples lie along the first axis of what is captured."""
    return all(len(piece.tensor) == piece.samples for piece in activations.pieces)


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
