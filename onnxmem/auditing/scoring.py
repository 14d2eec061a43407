"""Approximations of batches, and what the tail makes of them: hits and errors, point by point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from typing import NamedTuple

import numpy as np

from onnxmem.arrays import Array
from onnxmem.auditing.capture import Capture
from onnxmem.auditing.cut_run import CutRun
from onnxmem.factorize import Compressed, Compressor, Run, one_by_one, relative_error


class Point(NamedTuple):
    """One approximation of one batch."""

    level: float
    number: int
    draw: int


@dataclass(frozen=True, slots=True)
class Scored:
    """Which samples of the batch are correct at a point (rows,), and the approximation's error."""

    point: Point
    hits: np.ndarray
    error: float


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores batches of one kind, after one compressor.

    Attributes:
        cut: the layer.
        kind: of batches.
        method: the compressor.
        captured: gives the capture of a batch by its number.
        apply: applies a function to points, or to stacks of them.
        at_once: stacks that there is memory for.
    """

    cut: CutRun
    kind: str
    method: Compressor
    captured: Callable[[int], Capture]
    apply: Run
    at_once: int

    def score(self, levels: Sequence[float], fitted: Mapping[int, Compressed]) -> list[Scored]:
        """Score some batches, whose factors are `fitted`, at some levels."""
        points = [
            Point(level, number, draw)
            for level in levels
            for number, factors in fitted.items()
            for draw in range(factors.draws(level))
        ]
        batches = self.cut.context.batches(self.kind)
        parts = self.cut.stacks([batches[point.number] for point in points])
        stacks = [points[part] for part in parts]
        if len(stacks) == len(points):
            scored = self.apply(lambda stack: self._score([stack], fitted, one_by_one), stacks)
        else:
            starts = range(0, len(stacks), self.at_once)
            rounds = [stacks[start : start + self.at_once] for start in starts]
            scored = [self._score(some, fitted, self.apply) for some in rounds]
        return list(joined.from_iterable(scored))

    def _score(
        self, stacks: Sequence[Sequence[Point]], fitted: Mapping[int, Compressed], apply: Run
    ) -> list[Scored]:
        """Score stacks at once: approximate all of their points, then run the tail on each."""
        points = list(joined.from_iterable(stacks))
        captures = {number: self.captured(number) for number in {point.number for point in points}}

        def approximate(point: Point) -> tuple[Array | None, float]:
            return self._approximate(point, fitted[point.number], captures[point.number])

        made = dict(zip(points, apply(approximate, points), strict=True))
        changed = {point: new for point, (new, _) in made.items() if new is not None}
        found = apply(lambda stack: self._run_tail(stack, captures, changed), stacks)
        hits = dict(joined.from_iterable(found))
        return [
            Scored(point, hits[point] if point in hits else self._known_hits(point), error)
            for point, (_, error) in made.items()
        ]

    def _approximate(
        self, point: Point, fitted: Compressed, capture: Capture
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

    def _run_tail(
        self,
        stack: Sequence[Point],
        captures: Mapping[int, Capture],
        changed: Mapping[Point, Array],
    ) -> list[tuple[Point, np.ndarray]]:
        """Return the hits (rows,) at those points of a stack that have an approximation."""
        points = [point for point in stack if point in changed]
        hits = self.cut.hits(
            [(self.kind, point.number) for point in points],
            [captures[point.number] for point in points],
            [changed[point] for point in points],
        )
        return list(zip(points, hits, strict=True))

    def _known_hits(self, point: Point) -> np.ndarray:
        """Return the hits (rows,) of a batch at a point that needs no run of the tail."""
        known = self.cut.known(self.method, point.level)
        if known is None:
            return self.cut.unchanged_hits(self.kind, point.number)
        rows = self.cut.context.batches(self.kind)[point.number].rows
        return np.asarray(known[point.draw, rows])
