"""The points of one curve: one compressor on one kind of batch of one cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain as joined
from typing import Any, cast

import msgspec
import numpy as np

from onnxmem.compression import curve
from onnxmem.compression.experiment import Experiment
from onnxmem.compression.rank_choice import choose_ranks
from onnxmem.compression.scoring import Scored, Scorer
from onnxmem.compression.settings import CurveSettings
from onnxmem.data import Batch
from onnxmem.factorize import (
    DEFAULT_FRACTIONS,
    Compressed,
    Compressor,
    Run,
    default_ranks,
    one_by_one,
)
from onnxmem.network.layer_run import LayerRun
from onnxmem.records import Curve, Group

_FACTOR_BYTES = 2**30
"""Factors of all batches are kept up to this size (or --memory, where that is given), so that ranks
can be chosen in the light of all batches. Beyond it every rank is measured, batch by batch."""

_AT_ONCE = 32
"""Batches that are factorized at once, where the memory budget lets their captures be kept."""


def measure_curve(
    run: LayerRun, experiment: Experiment, kind: str, method: Compressor, limit: int
) -> tuple[Curve, np.ndarray]:
    """Measure one curve, and its bootstrap AuCs (draws,).

    Args:
        run: the layer.
        experiment: what it has in common with other layers.
        kind: of batches, class or mixed.
        method: the compressor.
        limit: the rank from which on an approximation of any batch can be exact.
    """
    points = _Points(run, experiment, kind, method, limit)
    x, bound = points.measure()
    return points.record(x, bound)


class _Points:
    """Accuracies and errors at the levels that were measured."""

    def __init__(
        self, run: LayerRun, experiment: Experiment, kind: str, method: Compressor, limit: int
    ) -> None:
        self.run, self.experiment, self.kind, self.method = run, experiment, kind, method
        self.evaluation = experiment.evaluation
        self.batches = self.evaluation.batches(kind)
        self.numbers = range(len(self.batches))
        self.settings = experiment.settings
        self.grid = levels(method, self.settings, limit)
        self.fitted: Mapping[int, Compressed] = {}
        self.correct: dict[float, np.ndarray] = {}
        self.errors: dict[float, np.ndarray] = {}

    def measure(self) -> tuple[tuple[float, ...], float]:
        """Measure the levels that are needed; return them, and the bound of their area."""
        adaptive = self.method.x_name == "rank" and self.settings.ranks == "auto"
        if not self._fits() or not (adaptive or self.run.share.keep):
            self._take(joined.from_iterable(self.run.map(self._measure_batch, self.numbers)))
            return self.grid, 0.0
        if adaptive:
            sizes = [len(batch.rows) for batch in self.batches]
            ranks, bound = choose_ranks([int(k) for k in self.grid], sizes, self._measure_level)
            return tuple(ranks), bound
        self._measure_levels(self.grid)
        return self.grid, 0.0

    def _fits(self) -> bool:
        """Tell whether the factors of all batches can be kept."""
        shape = self.run.matrix_shape(self.kind, 0)
        return self.method.held_bytes(shape, self.grid) * len(self.batches) <= factor_room(
            self.settings
        )

    def _fit(self) -> dict[int, Compressed]:
        """Return the factors of all batches, for all levels; those are found when asked for."""
        fitted: list[Compressed] = []
        apply = self.run.map_captured
        timed = partial(self._timed, apply)
        at_once = _AT_ONCE if self.run.share.keep else self.run.share.side_by_side
        for start in range(0, len(self.numbers), at_once):
            chosen = self.numbers[start : start + at_once]
            matrices = apply(lambda n: self.run.capture(self.kind, n).matrix(), chosen)
            fitted += self.method.fit_many(matrices, self.grid, self.settings.seed, timed)
        return dict(enumerate(fitted))

    def _timed(self, apply: Run, function: Callable[[Any], Any], items: Iterable[Any]) -> Any:
        timed = self.evaluation.clock.timed
        return apply(partial(timed, "factorization", function), items)

    def _measure_batch(self, number: int) -> list[Scored]:
        """Measure all levels of one batch, of which nothing is kept then."""
        capture, timed = self.run.capture(self.kind, number), partial(self._timed, one_by_one)
        (fitted,) = self.method.fit_many([capture.matrix()], self.grid, self.settings.seed, timed)
        scorer = Scorer(self.run, self.kind, self.method, lambda _: capture, one_by_one)
        return scorer.score(self.grid, {number: fitted})

    def _measure_level(self, level: float) -> np.ndarray:
        """Measure all batches at one level; return their accuracies (batches,)."""
        self._measure_levels((level,))
        correct = self.correct[level]
        return np.array([correct[:, batch.rows].mean() for batch in self.batches])

    def _measure_levels(self, chosen: Sequence[float]) -> None:
        if not self.fitted:
            self.fitted = self._fit()
        captured = partial(self.run.capture, self.kind)
        scorer = Scorer(self.run, self.kind, self.method, captured, self.run.map_captured)
        self._take(scorer.score(chosen, self.fitted))

    def _take(self, scored: Iterable[Scored]) -> None:
        """Put the scores of all batches at some levels together."""
        by_level = defaultdict(list)
        for one in scored:
            by_level[one.point.level].append(one)
        for level, found in by_level.items():
            draws = 1 + max(one.point.draw for one in found)
            correct = np.zeros((draws, len(self.evaluation.truth)), np.float32)
            errors = np.zeros((draws, len(self.batches)))
            for one in found:
                correct[one.point.draw, self.batches[one.point.number].rows] = one.hits
                errors[one.point.draw, one.point.number] = one.error
            if self.method.row_by_row:
                self.run.remember(self.method.name, level, correct)
            self.correct[level], self.errors[level] = correct, errors.mean(axis=0)

    def record(self, x: tuple[float, ...], bound: float) -> tuple[Curve, np.ndarray]:
        """Return the curve through the levels `x`, and its bootstrap AuCs."""
        evaluation, x_name = self.evaluation, self.method.x_name
        draws = max(len(self.correct[level]) for level in x)
        shape, accuracy_untouched = (draws, len(evaluation.truth)), evaluation.accuracy
        drawn = np.stack(
            [np.broadcast_to(self.correct[level], shape) for level in x], axis=-1, dtype=np.float64
        )
        correct = drawn.mean(axis=0).T
        accuracy = correct.mean(axis=1)
        of_samples = curve.area(x, drawn, x_name).T.astype(np.float32)  # as the weights are
        areas = (self.experiment.weights[self.kind] @ of_samples).astype(np.float64)
        resampled = (
            (areas * curve.redraw(draws, self.settings.seed, len(areas))).sum(axis=1).clip(0, 1)
        )
        low, high = curve.interval(resampled)
        auc = float(curve.area(x, accuracy, x_name))
        untouched = self.experiment.weights[self.kind] @ evaluation.correct
        rise = curve.interval(resampled - untouched)[0] - bound
        above = curve.is_above(auc, accuracy_untouched, rise)
        order = np.concatenate([batch.rows for batch in self.batches])
        record = Curve(
            compressor=cast(Any, self.method.name),
            batch=cast(Any, self.kind),
            x_name=x_name,
            x=x,
            accuracy=tuple(map(float, accuracy)),
            error=tuple(float(self.errors[level].mean()) for level in x),
            auc=auc,
            auc_low=max(min(low, auc) - bound, 0.0),
            auc_high=min(max(high, auc) + bound, 1.0),
            auc_relative=auc / accuracy_untouched if accuracy_untouched else 0.0,
            auc_bound=bound,
            saturated=not above and curve.is_saturated(auc, accuracy_untouched),
            groups=tuple(self._group(batch, correct, x) for batch in self.batches),
            sample_auc=curve.pack(curve.area(x, correct.T[order], x_name)),
            above=above,
            parts=True if self.method.parts else msgspec.UNSET,
        )
        return record, resampled

    def _group(self, batch: Batch, correct: np.ndarray, x: tuple[float, ...]) -> Group:
        accuracy = correct[:, batch.rows].mean(axis=1)
        return Group(
            label=batch.label,
            samples=len(batch.rows),
            accuracy=tuple(map(float, accuracy)),
            auc=float(curve.area(x, accuracy, self.method.x_name)),
            untouched=float(self.evaluation.correct[batch.rows].mean()),
        )


def levels(method: Compressor, settings: CurveSettings, limit: int) -> tuple[float, ...]:
    """Return the levels of a compressor; from rank `limit` on approximations can be exact."""
    if method.x_name == "fraction":
        return DEFAULT_FRACTIONS
    return default_ranks(limit) if settings.ranks == "auto" else settings.ranks


def factor_room(settings: CurveSettings) -> int:
    """Return how many bytes the factors of all batches may take to be kept."""
    return min(_FACTOR_BYTES, settings.memory or _FACTOR_BYTES)
