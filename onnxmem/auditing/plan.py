"""What an audit will cost, before it starts: runs, factorizations, sessions, memory and time.

Every cut is made, and one batch of it is timed in the head, the factorization and the tail. The
rest is computed from the number of batches, ranks and workers. Where ranks are chosen while the
audit runs, the least is what a few of them cost and the most what all of them do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from onnxmem import graph
from onnxmem.arrays import resident_memory
from onnxmem.auditing.cost import SCHEMA, Cost, LayerPlan, Plan
from onnxmem.auditing.plan_evidence import plan_evidence
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.auditing.settings import Settings, check_complete
from onnxmem.compression.experiment import Experiment, bootstrap_weights, grouping
from onnxmem.compression.points import factor_room, levels
from onnxmem.compression.rank_choice import first_places
from onnxmem.data import Column
from onnxmem.errors import ModelRefusedError, OutOfMemoryError, UsageError
from onnxmem.factorize import DEFAULT_FRACTIONS, Compressor, compressor, first_use, relative_error
from onnxmem.network.clock import Clock
from onnxmem.network.evaluation import Evaluation, select
from onnxmem.network.labelling import Labelling
from onnxmem.network.layer_run import LayerRun, SkipError
from onnxmem.network.opening import Opened, open_network
from onnxmem.network.stacking import find_stacker
from onnxmem.records import Baseline, Report

_WARM_UP = 0.2
"""Seconds below which work is timed a second time: the first time includes warming up."""


def plan_audit(
    path: str | Path,
    arrays: Mapping[str, Column],
    settings: Settings,
    *,
    baseline: Report | None = None,
    listen: Listener = lambda progress: None,
) -> Plan:
    """Return what `run_audit` would cost with the same arguments; `listen` is told about progress.

    Raises:
        OnnxmemError: whatever would keep the audit from starting.
    """
    begin = time.perf_counter()
    check_complete(settings, arrays, baseline)
    listen(Progress("loading the model", 0, 0))
    with open_network(path, arrays, settings) as opened:
        opening = Cost(seconds=time.perf_counter() - begin)
        if said := first_use(opened.network.device.is_cuda):
            listen(Progress("compiling kernels", 0, 0, said))
        _load_kernels(opened, settings)
        experiment, reference = _experiment(opened, settings)
        layers = []
        for number, site in enumerate(opened.sites):
            listen(Progress(f"timing {site.tensor}", number, len(opened.sites), unit="layers"))
            layers.append(_plan_layer(site, experiment))
        listen(Progress("timing neighbours", 0, 0))
        evidence = plan_evidence(opened) if settings.samples else Cost()
        before = resident_memory()
        evaluation, network = experiment.evaluation, opened.network
        batches = sum(len(evaluation.batches(kind)) for kind in settings.batch)
    used = [layer for layer in layers if not layer.reason]
    return Plan(
        schema=SCHEMA,
        model=str(path),
        device=network.device.name,
        samples=len(evaluation.truth),
        batches=batches,
        workers=network.workers.count,
        sessions=2 * len(used) + 1,
        peak_memory=max((layer.resident + layer.memory for layer in used), default=before),
        evidence=evidence,
        least=sum((layer.least for layer in used), opening + reference + evidence),
        most=sum((layer.most for layer in used), opening + reference + evidence),
        layers=tuple(layers),
    )


def _load_kernels(opened: Opened, settings: Settings) -> None:
    """Use every compressor once, so that no layer is charged with what comes first."""
    values = np.random.default_rng(0).random((160, 128), np.float32)
    matrix = opened.network.device.namespace.asarray(values)
    for name in settings.compress:
        method = compressor(name)
        grid = (1.0, 2.0, 8.0) if method.x_name == "rank" else DEFAULT_FRACTIONS
        method.fit(matrix, grid, settings.seed).approximate(matrix, grid[1])


def _experiment(opened: Opened, settings: Settings) -> tuple[Experiment, Cost]:
    """Return one without answers of the untouched model, and what these answers cost."""
    network, team = opened.network, opened.network.workers
    whole, selection, inputs = select(opened, opened.samples.digests, grouping(settings))
    separable = whole.is_separable(inputs, len(selection.rows))
    rows = selection.single[0].rows
    cuda = network.device.is_cuda
    seconds = _timed(lambda: whole.output(inputs, separable, rows), cuda)[1]
    at_once = network.at_once(whole.step(separable, len(rows)), team.count)
    team.map(partial(whole.output, inputs, separable), [rows] * at_once, at_once)
    count = sum(len(selection.batches(kind)) for kind in {"class", *settings.batch})
    evaluation = Evaluation(
        network=network,
        inputs=inputs,
        shared=whole.shared,
        kinds=settings.batch,
        selection=selection,
        labelling=Labelling(selection.labels),
        reference={},
        separable=separable,
        independent=separable,
        baseline=Baseline("top1", None, None),
        clock=Clock(),
    )
    weights = bootstrap_weights(selection, settings.batch, settings.seed)
    experiment = Experiment(evaluation, settings.curves, weights)
    return experiment, Cost(head_runs=count, seconds=count * seconds / min(team.count, count))


def _plan_layer(site: graph.Site, experiment: Experiment) -> LayerPlan:
    if site.status != "ok":
        return LayerPlan(site.tensor, site.reason)
    try:
        return _TimedLayer(site, experiment).plan()
    except (SkipError, ModelRefusedError, OutOfMemoryError, UsageError) as cause:
        return LayerPlan(site.tensor, str(cause))


class _TimedLayer:
    """Times one batch of one layer, and counts what an audit does with it."""

    def __init__(self, site: graph.Site, experiment: Experiment) -> None:
        self.tensor, self.settings = site.tensor, experiment.settings
        self.evaluation = experiment.evaluation
        begin = time.perf_counter()
        self.run = LayerRun(site, self.evaluation)
        self.cutting = Cost(seconds=time.perf_counter() - begin)
        kind = self.settings.batch[0]
        rows, split = self.evaluation.batches(kind)[0].rows, self.run.split
        self.capture, self.head = self._timed(
            lambda: split.capture(rows, self.run.axis, self.run.share.step)
        )
        split.prepare_tail(self.capture.pieces[0])
        self.matrix, self.stacking = self._timed(self.capture.matrix)
        self.tail = self._tail_seconds(len(rows))
        self.run.map(lambda _: self._tail(), range(self.run.share.side_by_side))
        self.resident = resident_memory()
        self.run.limit((kind, 0))

    def _tail(self) -> Any:
        return self.run.split.outputs(self.capture, self.capture.tensors(self.matrix))

    def _tail_seconds(self, samples: int) -> float:
        """Return what one batch of so many samples costs, among as many as go together."""
        batches = max(map(self._batches, self.settings.batch))
        count = min(self.run.share.stack // samples, batches)
        stacker = find_stacker(self.run.split, [self.capture]) if count > 1 else None
        if stacker is None:
            return self._timed(self._tail)[1]
        stack = [self.capture] * count, [self.matrix] * count
        return self._timed(lambda: stacker.outputs(*stack))[1] / count

    def _timed(self, work: Callable[[], Any]) -> tuple[Any, float]:
        return _timed(work, self.evaluation.network.device.is_cuda)

    def plan(self) -> LayerPlan:
        """Count what all compressors do with all kinds of batches."""
        least, most = self._checks(), self._checks()
        ranks: tuple[float, ...] = ()
        methods = [compressor(name, signed=self.run.signed) for name in self.settings.compress]
        for method in methods:
            few, all_levels = self._compressor(method)
            least, most = least + few, most + all_levels
            if method.x_name == "rank":
                ranks = self._levels(method)
        share = self.run.share
        return LayerPlan(
            tensor=self.tensor,
            matrix=self.capture.matrix_shape,
            ranks=ranks,
            step=share.step,
            side_by_side=share.side_by_side,
            memory=share.peak + max(map(self._factors, methods)),
            resident=self.resident,
            least=least,
            most=most,
        )

    def _limit(self, method: Compressor) -> int:
        """Return the rank from which on an approximation of the first batch can be exact."""
        return self.run.limit((self.settings.batch[0], 0), parts=method.parts)

    def _levels(self, method: Compressor) -> tuple[float, ...]:
        return levels(method, self.settings, self._limit(method))

    def _factors(self, method: Compressor) -> int:
        """Return how many bytes the factors that are held at once take at most."""
        each = self._factors_of_one(method)
        count = max(map(self._batches, self.settings.batch))
        held = count if self._keeps(method, count) else min(count, self.run.share.side_by_side)
        return each * held

    def _factors_of_one(self, method: Compressor) -> int:
        return method.held_bytes(self.capture.matrix_shape, self._levels(method))

    def _keeps(self, method: Compressor, batches: int) -> bool:
        """Tell whether there is room for the factors of so many batches."""
        return self._factors_of_one(method) * batches <= factor_room(self.settings)

    def _checks(self) -> Cost:
        """Return what the cut, the captures and the self-check cost."""
        batches = sum(map(self._batches, self.settings.batch))
        at_once = self.run.share.side_by_side
        checks = self.cutting + self._cost(batches, at_once, heads=1, tails=1)
        return checks if self.run.share.keep else checks + Cost(head_runs=1, seconds=self.head)

    def _compressor(self, method: Compressor) -> tuple[Cost, Cost]:
        """Return the least and the most that a compressor costs, all kinds of batches together."""
        grid = self._levels(method)
        auto = method.x_name == "rank" and self.settings.ranks == "auto"
        kept = self._keeps(method, max(map(self._batches, self.settings.batch)))
        few = [grid[place] for place in first_places(len(grid))] if auto and kept else grid
        held = self.run.share.keep
        middle = grid[len(grid) // 2]
        fitted = method.fit(self.matrix, grid, self.settings.seed)
        fitted.approximate(self.matrix, middle)
        approximating = self._timed(
            lambda: relative_error(self.matrix, fitted.approximate(self.matrix, middle))
        )[1]
        costs, fitting = [], 0.0
        for chosen in (few, grid):
            exact = sum(method.is_exact(level, self._limit(method)) for level in chosen)
            runs = sum(fitted.draws(level) for level in chosen)
            fitting = max(fitting, self._fitting(method, grid, chosen))
            cost = Cost()
            for number, kind in enumerate(self.settings.batch):
                known = number and method.row_by_row and self.evaluation.independent
                cost += self._cost(
                    self._batches(kind),
                    self.run.share.scored_at_once,
                    heads=0 if held else 1 + len(chosen) * (auto and kept),
                    tails=0 if known else runs - exact,
                    fits=1,
                    approximations=runs,
                    seconds=fitting + runs * approximating + len(chosen) * self.stacking,
                )
            costs.append(cost)
        return costs[0], costs[1]

    def _fitting(self, method: Compressor, grid: Sequence[float], chosen: Sequence[float]) -> float:
        """Return the seconds that it takes to fit a matrix so far that it has some levels."""
        limit = self._limit(method)
        hard = [level for level in chosen if not method.is_exact(level, limit)] or chosen

        def fit() -> None:
            fitted = method.fit(self.matrix, tuple(grid), self.settings.seed)
            fitted.approximate(self.matrix, max(hard))

        return self._timed(fit)[1]

    def _batches(self, kind: str) -> int:
        return len(self.evaluation.batches(kind))

    def _cost(
        self,
        batches: int,
        at_once: int,
        heads: int,
        tails: int,
        fits: int = 0,
        approximations: int = 0,
        seconds: float = 0.0,
    ) -> Cost:
        """Return what so many runs for each of `batches` cost, `at_once` of which are at work."""
        each = heads * self.head + tails * self.tail + seconds
        together = min(at_once, batches)
        return Cost(
            head_runs=batches * heads,
            tail_runs=batches * tails,
            factorizations=batches * fits,
            approximations=batches * approximations,
            seconds=batches * each / together,
        )


def _timed(work: Callable[[], Any], on_device: bool) -> tuple[Any, float]:
    """Return what `work` returns, and the seconds that it took; short work is done twice.

    On the CPU that is processor time, so that other programs do not count.
    """
    now = time.perf_counter if on_device else time.thread_time
    begin = now()
    result = work()
    seconds = now() - begin
    if seconds >= _WARM_UP:
        return result, seconds
    begin = now()
    return work(), now() - begin
