"""The points of one curve: one compressor on one kind of batch of one cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from typing import Any, cast

import msgspec
import numpy as np

from onnxmem.compression import curve
from onnxmem.compression.experiment import Experiment
from onnxmem.compression.fates import Fates, halvings
from onnxmem.compression.rank_choice import AUDITED, TOLERANCE, first_places
from onnxmem.compression.scoring import Job, Scorer
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
"""Factors of all batches are kept up to this size (or --memory, where that is given), so that
samples can be run at some ranks first. Beyond it all are run at every rank, batch by batch."""

_AT_ONCE = 32
"""Batches that are factorized at once, where the memory budget lets their captures be kept."""

_SURE = 1.96
"""Standard deviations that an estimate is told with."""


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
    points.measure()
    return _record(points.found(), run, experiment, kind, method)


@dataclass(frozen=True, slots=True)
class _Found:
    """Levels of a curve; `correct` (levels, draws, samples), `errors` (levels,)."""

    x: tuple[float, ...]
    correct: np.ndarray
    errors: np.ndarray
    bound: float


class _Points:
    """Who is right at which level, and how far approximations are off."""

    def __init__(
        self, run: LayerRun, experiment: Experiment, kind: str, method: Compressor, limit: int
    ) -> None:
        self.run, self.kind, self.method = run, kind, method
        self.evaluation, self.settings = experiment.evaluation, experiment.settings
        self.batches = self.evaluation.batches(kind)
        self.grid = levels(method, self.settings, limit)
        self.weights = curve.trapezoids(self.grid, method.x_name)
        self.thrifty = self.settings.ranks == "auto" and self._fits()
        self.fitted: dict[int, Compressed] = {}
        self.errors = np.zeros((len(self.grid), len(self.batches)))
        self.used = {0, len(self.grid) - 1}
        shape = len(self.grid), method.draws, len(self.evaluation.truth)
        self.fates = Fates(*shape, AUDITED[method.draws > 1], self.settings.seed)
        self.bound = 0.0

    def measure(self) -> None:
        """Run samples at levels until the area is known well enough.

        Approximations that are drawn treat each sample by itself, and what is known of them from
        another kind of batches holds for this one.
        """
        if told := self.run.known(self.method.name, self.grid):
            self.fates, self.bound = told
            self.used.update(range(len(self.grid)))
            return
        places = range(len(self.grid))
        full = set(first_places(len(places), self.method.draws) if self.thrifty else places)
        while True:
            self._pass(full)
            variances = self.fates.variances(self.weights)
            self.bound = _SURE * float(np.sqrt(variances.sum()))
            if self.bound <= TOLERANCE:
                break
            full |= _largest(variances, (TOLERANCE / _SURE) ** 2)
        if self.method.row_by_row:
            self.run.remember(self.method.name, self.grid, (self.fates, self.bound))

    def found(self) -> _Found:
        """Return the levels at which samples were run, and those at which any changes."""
        correct = self.fates.complete()
        same = (correct[1:] == correct[:-1]).all(axis=(1, 2))
        moves = ~np.append(True, same) | ~np.append(same, True)
        chosen = [p for p in range(len(self.grid)) if p in self.used or moves[p]]
        errors = self._errors_at(chosen).mean(axis=1)
        return _Found(tuple(self.grid[p] for p in chosen), correct[chosen], errors, self.bound)

    def _fits(self) -> bool:
        """Tell whether the factors of all batches can be kept."""
        shape = self.run.matrix_shape(self.kind, 0)
        return self.method.held_bytes(shape, self.grid) * len(self.batches) <= factor_room(
            self.settings
        )

    def _pass(self, full: set[int]) -> None:
        """Run all samples at the levels `full`, and between them those that may fare otherwise."""
        numbers = range(len(self.batches))
        if not (self.run.share.keep and self._fits()):
            self.run.map(partial(self._pass_one, full), numbers)
            return
        if not self.fitted:
            self._fit_all()
        captured = partial(self.run.capture, self.kind)
        scorer = Scorer(self.run, self.kind, self.fitted, captured, self.run.map_captured)
        self._walk(scorer, numbers, full)

    def _pass_one(self, full: set[int], number: int) -> None:
        """Do so for one batch, whose activations are not kept; factors are if those of all fit."""
        capture = self.run.capture(self.kind, number)
        fitted = self.fitted.get(number) or self._fit([capture.matrix()], one_by_one)[0]
        scorer = Scorer(self.run, self.kind, {number: fitted}, lambda _: capture, one_by_one)
        self._walk(scorer, [number], full)
        if self._fits():
            self.fitted[number] = fitted
        else:
            self.errors[:, number] = [self._error(fitted, level) for level in self.grid]

    def _walk(self, scorer: Scorer, numbers: Sequence[int], full: set[int]) -> None:
        """Run samples of some batches: first at the levels `full`, then at those between."""
        between = halvings(len(self.grid), full)
        for everyone, places in chain([(True, sorted(full))], zip(repeat(False), between)):
            jobs = [
                job
                for place in places
                for number in numbers
                for job in self._jobs(place, number, scorer.fitted[number], everyone)
            ]
            for job, hits in zip(jobs, scorer.score(jobs), strict=True):
                self._take(job, scorer.fitted[job.number], hits)

    def _jobs(self, place: int, number: int, fitted: Compressed, everyone: bool) -> Iterator[Job]:
        """Yield which samples of a batch are to be run at a level; some need not be run for it."""
        level, rows = self.grid[place], self.batches[number].rows
        wanted = self.fates.wanted(place, rows, everyone)
        if fitted.is_exact(level):
            unchanged = self.run.unchanged_hits(self.kind, number)
            self.fates.take(place, slice(None), rows, unchanged)
            return
        draws = fitted.draws(level)
        for draw in range(draws):
            some = wanted[draw] if draws > 1 else wanted.any(axis=0)
            if some.any():
                all_of_them = np.ones_like(some)
                chosen = np.flatnonzero(some if self.run.by_sample else all_of_them)
                yield Job(place, level, number, draw, chosen)

    def _take(self, job: Job, fitted: Compressed, hits: np.ndarray) -> None:
        rows = self.batches[job.number].rows[job.chosen]
        draw = job.draw if fitted.draws(job.level) > 1 else slice(None)
        self.fates.take(job.place, draw, rows, hits)
        self.used.add(job.place)

    def _fit_all(self) -> None:
        """Fit the compressor to all batches, for all levels; factors are found when asked for."""
        apply, numbers = self.run.map_captured, range(len(self.batches))
        at_once = _AT_ONCE if self.run.share.keep else self.run.share.side_by_side
        for start in range(0, len(numbers), at_once):
            chosen = numbers[start : start + at_once]
            matrices = apply(lambda n: self.run.capture(self.kind, n).matrix(), chosen)
            self.fitted |= zip(chosen, self._fit(matrices, apply), strict=True)

    def _fit(self, matrices: Sequence[Any], apply: Run) -> Sequence[Compressed]:
        timed = partial(self._timed, apply)
        return self.method.fit_many(matrices, self.grid, self.settings.seed, timed)

    def _timed(self, apply: Run, function: Callable[[Any], Any], items: Iterable[Any]) -> Any:
        timed = self.evaluation.clock.timed
        return apply(partial(timed, "factorization", function), items)

    def _errors_at(self, chosen: Sequence[int]) -> np.ndarray:
        """Return the errors of all batches at some levels (levels, batches)."""
        if self._fits():
            if not self.fitted:
                self._fit_all()
            numbers = range(len(self.batches))

            def errors(number: int) -> list[float]:
                fitted = self.fitted[number]
                return [self._error(fitted, self.grid[place]) for place in chosen]

            found = self._timed(self.run.map_captured, errors, numbers)
            return np.array(found).T
        return self.errors[list(chosen)]

    def _error(self, fitted: Compressed, level: float) -> float:
        return float(np.mean([fitted.error(level, d) for d in range(fitted.draws(level))]))


def _largest(parts: np.ndarray, left: float) -> set[int]:
    """Return the places of the largest parts, so many that the others sum up to `left` at most."""
    order = parts.argsort()
    rest = int((parts[order].cumsum() <= left).sum())
    return set(order[rest:].tolist())


def _record(
    found: _Found, run: LayerRun, experiment: Experiment, kind: str, method: Compressor
) -> tuple[Curve, np.ndarray]:
    """Return the curve through some levels, and its bootstrap AuCs."""
    evaluation, settings = run.evaluation, experiment.settings
    x, x_name, bound = found.x, method.x_name, found.bound
    batches, untouched = evaluation.batches(kind), evaluation.accuracy
    drawn = found.correct.transpose(1, 2, 0).astype(np.float64)
    correct = drawn.mean(axis=0).T
    accuracy = correct.mean(axis=1)
    weights = experiment.weights[kind]
    of_samples = curve.area(x, drawn, x_name).T.astype(np.float32)  # as the weights are
    areas = (weights @ of_samples).astype(np.float64)
    redrawn = curve.redraw(len(drawn), settings.seed, len(areas))
    resampled = (areas * redrawn).sum(axis=1).clip(0, 1)
    low, high = curve.interval(resampled)
    auc = float(curve.area(x, accuracy, x_name))
    rise = curve.interval(resampled - weights @ evaluation.correct)[0] - bound
    above = curve.is_above(auc, untouched, rise)
    order = np.concatenate([batch.rows for batch in batches])

    def group(batch: Batch) -> Group:
        own = correct[:, batch.rows].mean(axis=1)
        return Group(
            label=batch.label,
            samples=len(batch.rows),
            accuracy=tuple(map(float, own)),
            auc=float(curve.area(x, own, x_name)),
            untouched=float(evaluation.correct[batch.rows].mean()),
        )

    record = Curve(
        compressor=cast(Any, method.name),
        batch=cast(Any, kind),
        x_name=x_name,
        x=x,
        accuracy=tuple(map(float, accuracy)),
        error=tuple(map(float, found.errors)),
        auc=auc,
        auc_low=max(min(low, auc) - bound, 0.0),
        auc_high=min(max(high, auc) + bound, 1.0),
        auc_relative=auc / untouched if untouched else 0.0,
        auc_bound=bound,
        saturated=not above and curve.is_saturated(auc, untouched),
        groups=tuple(map(group, batches)),
        sample_auc=curve.pack(curve.area(x, correct.T[order], x_name)),
        above=above,
        parts=True if method.parts else msgspec.UNSET,
    )
    return record, resampled


def levels(method: Compressor, settings: CurveSettings, limit: int) -> tuple[float, ...]:
    """Return the levels of a compressor; from rank `limit` on approximations can be exact."""
    if method.x_name == "fraction":
        return DEFAULT_FRACTIONS
    return settings.ranks if isinstance(settings.ranks, tuple) else default_ranks(limit)


def factor_room(settings: CurveSettings) -> int:
    """Return how many bytes the factors of all batches may take to be kept."""
    return min(_FACTOR_BYTES, settings.memory or _FACTOR_BYTES)
