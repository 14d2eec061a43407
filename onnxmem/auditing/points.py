"""The points of one curve: one compressor on one kind of batch of one cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain as joined
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np

from onnxmem import curve
from onnxmem.arrays import Array
from onnxmem.auditing.capture import Capture
from onnxmem.auditing.cut_run import CutRun
from onnxmem.auditing.rank_choice import choose_ranks
from onnxmem.auditing.settings import Settings
from onnxmem.data import Batch
from onnxmem.factorize import (
    DEFAULT_FRACTIONS,
    Compressed,
    Compressor,
    Run,
    default_ranks,
    one_by_one,
    relative_error,
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


class _Point(NamedTuple):
    """One approximation of one batch."""

    level: float
    number: int
    draw: int


@dataclass(frozen=True, slots=True)
class _Scored:
    """Which samples of the batch are correct at a point (rows,), and the approximation's error."""

    point: _Point
    hits: np.ndarray
    error: float


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
        shape = self.cut.capture(self.kind, 0).matrix_shape
        return self.method.held_bytes(shape, self.grid) * len(self.batches) <= factor_room(
            self.settings
        )

    def _fit(self) -> dict[int, Compressed]:
        """Return the factors of all batches, for all levels; those are found when asked for."""
        fitted: list[Compressed] = []
        timed = partial(self._timed, self.cut.map)
        at_once = _AT_ONCE if self.cut.share.keep else self.cut.share.side_by_side
        for start in range(0, len(self.numbers), at_once):
            chosen = self.numbers[start : start + at_once]
            matrices = self.cut.map(lambda n: self.cut.capture(self.kind, n).matrix(), chosen)
            fitted += self.method.fit_many(matrices, self.grid, self.settings.seed, timed)
        return dict(enumerate(fitted))

    def _timed(self, apply: Run, function: Callable[[Any], Any], items: Iterable[Any]) -> Any:
        timed = self.cut.context.clock.timed
        return apply(partial(timed, "factorization", function), items)

    def _measure_batch(self, number: int) -> list[_Scored]:
        """Measure all levels of one batch, of which nothing is kept then."""
        capture, timed = self.cut.capture(self.kind, number), partial(self._timed, one_by_one)
        (fitted,) = self.method.fit_many([capture.matrix()], self.grid, self.settings.seed, timed)
        return self._score(self.grid, {number: fitted}, one_by_one, {number: capture})

    def _measure_level(self, level: float) -> np.ndarray:
        """Measure all batches at one level; return their accuracies (batches,)."""
        self._measure_levels((level,))
        correct = self.correct[level]
        return np.array([correct[:, batch.rows].mean() for batch in self.batches])

    def _measure_levels(self, chosen: Sequence[float]) -> None:
        if not self.fitted:
            self.fitted = self._fit()
        self._take(self._score(chosen, self.fitted, self.cut.map))

    def _score(
        self,
        chosen: Sequence[float],
        fitted: Mapping[int, Compressed],
        apply: Run,
        captured: Mapping[int, Capture] = MappingProxyType({}),
    ) -> list[_Scored]:
        """Score batches at some levels: those that share a run of the tail, or all at once."""
        points = [
            _Point(level, number, draw)
            for level in chosen
            for number, factors in fitted.items()
            for draw in range(factors.draws(level))
        ]
        stacks = [
            points[part] for part in self.cut.stacks([self.batches[p.number] for p in points])
        ]
        outer, inner = (apply, one_by_one) if len(stacks) == len(points) else (one_by_one, apply)
        scored = outer(lambda stack: self._score_stack(stack, fitted, inner, captured), stacks)
        return list(joined.from_iterable(scored))

    def _score_stack(
        self,
        points: Sequence[_Point],
        fitted: Mapping[int, Compressed],
        apply: Run,
        captured: Mapping[int, Capture],
    ) -> list[_Scored]:
        """Score points whose approximations go through the tail together."""
        numbers = {point.number for point in points}
        captures = captured or {number: self.cut.capture(self.kind, number) for number in numbers}
        made = apply(
            lambda point: self._approximate(point, fitted[point.number], captures[point.number]),
            points,
        )
        changed = {
            point: new for point, (new, _) in zip(points, made, strict=True) if new is not None
        }
        hits = self.cut.hits(
            [(self.kind, point.number) for point in changed],
            [captures[point.number] for point in changed],
            list(changed.values()),
        )
        found = dict(zip(changed, hits, strict=True))
        return [
            _Scored(point, found[point] if point in found else self._known_hits(point), error)
            for point, (_, error) in zip(points, made, strict=True)
        ]

    def _approximate(
        self, point: _Point, fitted: Compressed, capture: Capture
    ) -> tuple[Array | None, float]:
        """Return the approximation, None where its hits are known without it, and its error."""
        matrix = capture.matrix()
        with self.cut.context.clock.stage("factorization"):
            approximation = fitted.approximate(matrix, point.level, point.draw)
            if approximation is matrix:
                return None, 0.0
            error = relative_error(matrix, approximation)
        known = self.cut.known(self.method, point.level) is not None
        return None if known else approximation, error

    def _known_hits(self, point: _Point) -> np.ndarray:
        """Return the hits (rows,) of a batch at a point that needs no run of the tail."""
        known = self.cut.known(self.method, point.level)
        if known is None:
            return self.cut.unchanged_hits(self.kind, point.number)
        return np.asarray(known[point.draw, self.batches[point.number].rows])

    def _take(self, scored: Iterable[_Scored]) -> None:
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
        areas = context.weights[self.kind] @ curve.area(x, drawn, x_name).T
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
