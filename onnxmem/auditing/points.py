"""The points of one curve: one compressor on one kind of batch of one cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain as joined
from typing import Any, cast

import numpy as np

from onnxmem import curve
from onnxmem.auditing.cut_run import CutRun
from onnxmem.auditing.rank_choice import choose_ranks
from onnxmem.auditing.scoring import Scored, Scorer
from onnxmem.auditing.settings import Settings
from onnxmem.data import Batch
from onnxmem.factorize import (
    DEFAULT_FRACTIONS,
    Compressed,
    Compressor,
    Run,
    default_ranks,
    one_by_one,
)
from onnxmem.records import Curve, Group

_FACTOR_BYTES = 2**30
"""Factors of all batches are kept up to this size (or --memory, where that is given), so that ranks
can be chosen in the light of all batches. Beyond it every rank is measured, batch by batch."""

_AT_ONCE = 32
"""Batches that are factorized at once, where the memory budget lets their captures be kept."""


def measure_curve(
    cut: CutRun, kind: str, method: Compressor, limit: int
) -> tuple[Curve, np.ndarray]:
    """Measure one curve, and its bootstrap AuCs (draws,).

    Args:
        cut: the layer.
        kind: of batches, class or mixed.
        method: the compressor.
        limit: the rank from which on an approximation of any batch can be exact.
    """
    points = _Points(cut, kind, method, limit)
    x, bound = points.measure()
    return points.record(x, bound)


class _Points:
    """Accuracies and errors at the levels that were measured."""

    def __init__(self, cut: CutRun, kind: str, method: Compressor, limit: int) -> None:
        self.cut, self.kind, self.method = cut, kind, method
        self.batches = cut.context.batches(kind)
        self.numbers = range(len(self.batches))
        self.settings = cut.context.settings
        self.grid = levels(method, self.settings, limit)
        self.fitted: Mapping[int, Compressed] = {}
        self.correct: dict[float, np.ndarray] = {}
        self.errors: dict[float, np.ndarray] = {}

    def measure(self) -> tuple[tuple[float, ...], float]:
        """Measure the levels that are needed; return them, and the bound of their area."""
        adaptive = self.method.x_name == "rank" and self.settings.ranks == "auto"
        if not self._fits() or not (adaptive or self.cut.share.keep):
            self._take(joined.from_iterable(self.cut.map(self._measure_batch, self.numbers)))
            return self.grid, 0.0
        if adaptive:
            sizes = [len(batch.rows) for batch in self.batches]
            ranks, bound = choose_ranks([int(k) for k in self.grid], sizes, self._measure_level)
            return tuple(ranks), bound
        self._measure_levels(self.grid)
        return self.grid, 0.0

    def _fits(self) -> bool:
        """Tell whether the factors of all batches can be kept."""
        shape = self.cut.matrix_shape(self.kind, 0)
        return self.method.held_bytes(shape, self.grid) * len(self.batches) <= factor_room(
            self.settings
        )

    def _fit(self) -> dict[int, Compressed]:
        """Return the factors of all batches, for all levels; those are found when asked for."""
        fitted: list[Compressed] = []
        apply = self.cut.map_captured
        timed = partial(self._timed, apply)
        at_once = _AT_ONCE if self.cut.share.keep else self.cut.share.side_by_side
        for start in range(0, len(self.numbers), at_once):
            chosen = self.numbers[start : start + at_once]
            matrices = apply(lambda n: self.cut.capture(self.kind, n).matrix(), chosen)
            fitted += self.method.fit_many(matrices, self.grid, self.settings.seed, timed)
        return dict(enumerate(fitted))

    def _timed(self, apply: Run, function: Callable[[Any], Any], items: Iterable[Any]) -> Any:
        timed = self.cut.context.clock.timed
        return apply(partial(timed, "factorization", function), items)

    def _measure_batch(self, number: int) -> list[Scored]:
        """Measure all levels of one batch, of which nothing is kept then."""
        capture, timed = self.cut.capture(self.kind, number), partial(self._timed, one_by_one)
        (fitted,) = self.method.fit_many([capture.matrix()], self.grid, self.settings.seed, timed)
        scorer = Scorer(self.cut, self.kind, self.method, lambda _: capture, one_by_one)
        return scorer.score(self.grid, {number: fitted})

    def _measure_level(self, level: float) -> np.ndarray:
        """Measure all batches at one level; return their accuracies (batches,)."""
        self._measure_levels((level,))
        correct = self.correct[level]
        return np.array([correct[:, batch.rows].mean() for batch in self.batches])

    def _measure_levels(self, chosen: Sequence[float]) -> None:
        if not self.fitted:
            self.fitted = self._fit()
        captured = partial(self.cut.capture, self.kind)
        scorer = Scorer(self.cut, self.kind, self.method, captured, self.cut.map_captured)
        self._take(scorer.score(chosen, self.fitted))

    def _take(self, scored: Iterable[Scored]) -> None:
        """Put the scores of all batches at some levels together."""
        by_level = defaultdict(list)
        for one in scored:
            by_level[one.point.level].append(one)
        for level, found in by_level.items():
            draws = 1 + max(one.point.draw for one in found)
            correct = np.zeros((draws, len(self.cut.context.truth)), np.float32)
            errors = np.zeros((draws, len(self.batches)))
            for one in found:
                correct[one.point.draw, self.batches[one.point.number].rows] = one.hits
                errors[one.point.draw, one.point.number] = one.error
            self.cut.remember(self.method, level, correct)
            self.correct[level], self.errors[level] = correct, errors.mean(axis=0)

    def record(self, x: tuple[float, ...], bound: float) -> tuple[Curve, np.ndarray]:
        """Return the curve through the levels `x`, and its bootstrap AuCs."""
        context, x_name = self.cut.context, self.method.x_name
        draws = max(len(self.correct[level]) for level in x)
        shape = (draws, len(context.truth))
        drawn = np.stack(
            [np.broadcast_to(self.correct[level], shape) for level in x], axis=-1, dtype=np.float64
        )
        correct = drawn.mean(axis=0).T
        accuracy = correct.mean(axis=1)
        of_samples = curve.area(x, drawn, x_name).T.astype(np.float32)  # as the weights are
        areas = (context.weights[self.kind] @ of_samples).astype(np.float64)
        resampled = (
            (areas * curve.redraw(draws, self.settings.seed, len(areas))).sum(axis=1).clip(0, 1)
        )
        low, high = curve.interval(resampled)
        auc = float(curve.area(x, accuracy, x_name))
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
            auc_relative=auc / context.baseline if context.baseline else 0.0,
            auc_bound=bound,
            saturated=curve.is_saturated(auc, context.baseline),
            groups=tuple(self._group(batch, correct, x) for batch in self.batches),
            sample_auc=curve.pack(curve.area(x, correct.T[order], x_name)),
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


def levels(method: Compressor, settings: Settings, limit: int) -> tuple[float, ...]:
    """Return the levels of a compressor; from rank `limit` on approximations can be exact."""
    if method.x_name == "fraction":
        return DEFAULT_FRACTIONS
    return default_ranks(limit) if settings.ranks == "auto" else settings.ranks


def factor_room(settings: Settings) -> int:
    """Return how many bytes the factors of all batches may take to be kept."""
    return min(_FACTOR_BYTES, settings.memory or _FACTOR_BYTES)
