"""One layer: check its cut, then compress its activations and score what the tail makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np

from onnxmem import curve
from onnxmem.arrays import Array
from onnxmem.auditing.capture import Capture, CutRunner, piece_size
from onnxmem.auditing.clock import Clock
from onnxmem.auditing.network import TOLERANCE, Network, deviation
from onnxmem.auditing.settings import Settings
from onnxmem.data import Batch, Selection
from onnxmem.errors import ModelRefusedError, UsageError
from onnxmem.factorize import (
    DEFAULT_FRACTIONS,
    Compressed,
    Compressor,
    compressor,
    default_ranks,
    relative_error,
)
from onnxmem.graph import Site, split
from onnxmem.records import Curve, CutInfo, Group, Layer

_WORKING_COPIES = 6
"""Tensors of the cut's size that are alive at once: captured, as a matrix, approximated, fed
back, and what the tail makes of it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all layers of one audit have in common.

    Attributes:
        network: the prepared model.
        inputs, shared: the selected samples on the device, and inputs common to all of them.
        selection: which samples form which batch.
        truth: (samples,) the class that counts as correct.
        reference: kind of batch -> the model's own output for each batch.
        independent: whether no output of the model depends on the other samples of its batch.
        baseline: accuracy of the untouched model.
        weights: kind of batch -> bootstrap weights (draws, samples).
        settings: of the audit.
        memory: bytes that one worker may use.
        workers: batches that are worked on at once.
        map: applies a function to several batches at once.
        clock: adds up the seconds of each stage.
    """

    network: Network
    inputs: Mapping[str, Array]
    shared: Mapping[str, Array]
    selection: Selection
    truth: np.ndarray
    reference: Mapping[str, tuple[Array, ...]]
    independent: bool
    baseline: float
    weights: Mapping[str, np.ndarray]
    settings: Settings
    memory: int
    workers: int
    map: Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Measured:
    """A layer of the report, and the bootstrap AuCs (draws,) of each of its curves by key.

    `failed` tells a layer that should have been measured from one that never can be.
    """

    layer: Layer
    resampled: Mapping[str, np.ndarray]
    failed: bool = False


class _SkipError(Exception):
    """The layer cannot be measured; the message says why."""


def measure_layer(site: Site, bench: Bench, advance: Callable[[int], None]) -> Measured:
    """Measure all curves of one site; `advance` is told how many are done.

    A site that cannot be measured is skipped, and its record says why.
    """
    if site.status != "ok":
        return unmeasured(site, site.reason)
    try:
        return _measure(site, bench, advance)
    except _SkipError as cause:
        return unmeasured(site, str(cause))
    except (ModelRefusedError, UsageError) as cause:
        return replace(unmeasured(site, str(cause)), failed=True)


def _measure(site: Site, bench: Bench, advance: Callable[[int], None]) -> Measured:
    run = _LayerRun(site, bench)
    error = run.check()
    cut = CutInfo(run.cut.crossing + run.cut.direct, error)
    layer = replace(unmeasured(site, "").layer, shape=run.shape, feature_axis=run.axis, cut=cut)
    if error > TOLERANCE:
        reason = (
            f"the cut fails its self-check: the joined parts differ from the model by "
            f"{error:.1e} of its output's scale"
        )
        return Measured(replace(layer, reason=reason), {}, failed=True)
    curves, resampled = run.curves(advance)
    return scored(layer, curves, resampled)


def scored(layer: Layer, curves: Sequence[Curve], resampled: Mapping[str, np.ndarray]) -> Measured:
    """Return `layer` with `curves` in place of its own; it is saturated where all of them are."""
    saturated = all(one.saturated for one in curves)
    return Measured(
        replace(
            layer,
            status="saturated" if saturated else "scored",
            reason="hardly any compression costs accuracy" if saturated else "",
            curves=tuple(curves),
        ),
        resampled,
    )


def unmeasured(site: Site, reason: str) -> Measured:
    """Return the record of a site that is skipped for `reason`."""
    layer = Layer(
        tensor=site.tensor,
        op=site.op,
        index=site.index,
        shape=_known_shape(site),
        feature_axis=site.feature_axis,
        status="skipped",
        reason=reason,
        cut=None,
    )
    return Measured(layer, {})


class _LayerRun:
    """The work on one cut; its captures are kept while the memory budget allows it."""

    def __init__(self, site: Site, bench: Bench) -> None:
        self.bench = bench
        network = bench.network
        self.cut = split(network.model, site.tensor, network.output)
        self.runner = CutRunner(network, self.cut, bench.inputs, bench.shared)
        few = np.arange(network.batch or min(2, len(bench.truth)))
        probe = self.runner.capture(few, site.feature_axis or 0, len(few))
        tensor = probe.pieces[0].tensor
        self.axis = _feature_axis(site, tensor)
        self.shape = (None, *map(int, tensor.shape[1:]))
        per_sample = probe.nbytes // len(few)
        largest = max(len(batch.rows) for batch in self._batches())
        self.step = (
            largest
            if self.cut.whole_batch
            else piece_size(_WORKING_COPIES * per_sample, bench.memory, network.batch, largest)
        )
        total = per_sample * len(bench.truth) * len(bench.settings.batch)
        self._keep = total <= bench.memory // 2
        self._kept: dict[tuple[str, int], Capture] = {}
        self._correct: dict[tuple[str, float], np.ndarray] = {}

    def _batches(self) -> list[Batch]:
        return [b for kind in self.bench.settings.batch for b in self.bench.selection.batches(kind)]

    def capture(self, kind: str, number: int) -> Capture:
        """Return the activations of one batch, from the memory or the head."""
        key = (kind, number)
        if key in self._kept:
            return self._kept[key]
        rows = self.bench.selection.batches(kind)[number].rows
        with self.bench.clock.stage("head"):
            capture = self.runner.capture(rows, self.axis, self.step)
        if self._keep:
            self._kept[key] = capture
        return capture

    def check(self) -> float:
        """Return how far the tail of the uncompressed tensor is from the model, on all batches."""
        # The first batch compiles the tail, before several threads want it.
        numbered = [
            (kind, number)
            for kind in self.bench.settings.batch
            for number in range(len(self.bench.selection.batches(kind)))
        ]
        first = self._deviation(numbered[0])
        others = self.bench.map(self._deviation, numbered[1:])
        return float(max([first, *others]))

    def _deviation(self, key: tuple[str, int]) -> float:
        capture = self.capture(*key)
        with self.bench.clock.stage("tail"):
            outputs = self.runner.outputs(capture)
        expected, start, worst = self.bench.reference[key[0]][key[1]], 0, 0.0
        for piece, output in zip(capture.pieces, outputs, strict=True):
            part = expected[start : start + piece.samples]
            worst, start = max(worst, deviation(output, part)), start + piece.samples
        return worst

    def curves(self, advance: Callable[[int], None]) -> tuple[list[Curve], dict[str, np.ndarray]]:
        """Measure every compressor on every kind of batch."""
        curves: list[Curve] = []
        resampled = {}
        for kind in self.bench.settings.batch:
            limit = max(self.bench.map(self._limit, self._numbers(kind)))
            for name in self.bench.settings.compress:
                points = _Points(self, kind, compressor(name), limit)
                one, areas = points.curve()
                curves.append(one)
                resampled[one.key] = areas
                advance(len(curves))
        return curves, resampled

    def hits(self, capture: Capture, rows: np.ndarray, approximation: Array) -> np.ndarray:
        """Return which of the samples `rows` are correct after an approximation."""
        with self.bench.clock.stage("tail"):
            outputs = self.runner.outputs(capture, capture.tensors(approximation))
        predict = self.bench.network.predict
        predicted = np.concatenate([predict(one) for one in outputs])
        return np.asarray(predicted == self.bench.truth[rows])

    def known(self, method: Compressor, level: float) -> np.ndarray | None:
        """Return what samples got from another kind of batch, where batches play no part."""
        return self._correct.get((method.name, level))

    def remember(self, method: Compressor, level: float, correct: np.ndarray) -> None:
        """Keep what samples got where it does not depend on the batch that they are in."""
        if method.row_by_row and self.bench.independent:
            self._correct[method.name, level] = correct

    def _numbers(self, kind: str) -> list[tuple[str, int]]:
        return [(kind, number) for number in range(len(self.bench.selection.batches(kind)))]

    def _limit(self, key: tuple[str, int]) -> int:
        """Return the rank from which on any approximation of this batch can be exact."""
        matrix = self.capture(*key).matrix()
        return max(1, min(int(matrix.any(axis=0).sum()), int(matrix.any(axis=1).sum())))


class _Points:
    """The points of one curve: one compressor on one kind of batch."""

    def __init__(self, run: _LayerRun, kind: str, method: Compressor, limit: int) -> None:
        self.run, self.kind, self.method = run, kind, method
        self.batches = run.bench.selection.batches(kind)
        self.grid = _grid(method, run.bench.settings, limit)
        self.correct: dict[float, np.ndarray] = {}
        self.error: dict[float, float] = {}
        numbers = range(len(self.batches))
        self.fitted: list[Compressed] = run.bench.map(self._fit, numbers)

    def _fit(self, number: int) -> Compressed:
        bench = self.run.bench
        matrix = self.run.capture(self.kind, number).matrix()
        with bench.clock.stage("factorization"):
            return self.method.fit(matrix, self.grid, bench.settings.seed)

    def measure(self, level: float) -> float:
        """Return the accuracy at one level, over all samples."""
        known = self.run.known(self.method, level)
        score = partial(self._score, level, known)
        scored = self.run.bench.map(score, range(len(self.batches)))
        correct = np.zeros(len(self.run.bench.truth))
        for batch, (shares, _) in zip(self.batches, scored, strict=True):
            correct[batch.rows] = shares
        self.run.remember(self.method, level, correct)
        self.correct[level] = correct
        self.error[level] = float(np.mean([error for _, error in scored]))
        return float(correct.mean())

    def _score(
        self, level: float, known: np.ndarray | None, number: int
    ) -> tuple[np.ndarray, float]:
        """Return, for each sample of a batch, the share of draws that keep it correct."""
        fitted, rows = self.fitted[number], self.batches[number].rows
        capture = self.run.capture(self.kind, number)
        matrix = capture.matrix()
        shares, errors = [], []
        for draw in range(fitted.draws(level)):
            with self.run.bench.clock.stage("factorization"):
                approximation = fitted.approximate(matrix, level, draw)
                errors.append(relative_error(matrix, approximation))
            if known is None:
                shares.append(self.run.hits(capture, rows, approximation))
        found = np.mean(shares, axis=0) if known is None else known[rows]
        return found, float(np.mean(errors))

    def curve(self) -> tuple[Curve, np.ndarray]:
        """Measure the points that are needed, and put them together."""
        bench = self.run.bench
        if self.method.x_name == "rank" and bench.settings.ranks == "auto":
            ranks, bound = curve.refine([int(k) for k in self.grid], self.measure)
            x: tuple[float, ...] = tuple(ranks)
        else:
            x, bound = self.grid, 0.0
            for level in x:
                self.measure(level)
        correct = np.stack([self.correct[level] for level in x])
        accuracy = correct.mean(axis=1)
        resampled = curve.area(x, bench.weights[self.kind] @ correct.T, self.method.x_name)
        low, high = curve.interval(resampled)
        auc = float(curve.area(x, accuracy, self.method.x_name))
        order = np.concatenate([batch.rows for batch in self.batches])
        record = Curve(
            compressor=cast(Any, self.method.name),
            batch=cast(Any, self.kind),
            x_name=self.method.x_name,
            x=x,
            accuracy=tuple(map(float, accuracy)),
            error=tuple(self.error[level] for level in x),
            auc=auc,
            auc_low=min(low, auc),
            auc_high=max(high, auc),
            auc_relative=auc / bench.baseline if bench.baseline else 0.0,
            auc_bound=bound,
            saturated=curve.is_saturated(auc, bench.baseline),
            groups=tuple(self._group(batch, correct, x) for batch in self.batches),
            sample_auc=curve.pack(curve.area(x, correct.T[order], self.method.x_name)),
        )
        return record, resampled

    def _group(self, batch: Batch, correct: np.ndarray, x: tuple[float, ...]) -> Group:
        accuracy = correct[:, batch.rows].mean(axis=1)
        return Group(
            label=batch.label,
            samples=len(batch.rows),
            accuracy=tuple(map(float, accuracy)),
            auc=float(curve.area(x, accuracy, self.method.x_name)),
        )


def _grid(method: Compressor, settings: Settings, limit: int) -> tuple[float, ...]:
    if method.x_name == "fraction":
        return DEFAULT_FRACTIONS
    return default_ranks(limit) if settings.ranks == "auto" else settings.ranks


def _feature_axis(site: Site, tensor: Array) -> int:
    """Return the axis of the features as a number from 0 on."""
    if tensor.ndim < 2:
        raise _SkipError(f"the tensor has shape {tuple(tensor.shape)}: no axis of features")
    if str(tensor.dtype) not in ("float16", "float32", "float64"):
        raise _SkipError(f"the tensor holds {tensor.dtype}: only floats can be factorized")
    axis = site.feature_axis
    if axis is None and tensor.ndim > 2:
        raise _SkipError("the axis of the features cannot be told from the graph")
    axis = int((-1 if axis is None else axis) % tensor.ndim)
    if axis == 0:
        raise _SkipError("the features lie along the axis of the samples")
    return axis


def _known_shape(site: Site) -> tuple[int | None, ...] | None:
    if site.shape is None:
        return None
    return tuple(size if isinstance(size, int) else None for size in site.shape)
