"""Approximations of batches, and what the tail makes of them: hits and errors, point by point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from typing import NamedTuple

import numpy as np

from onnxmem.arrays import Array
from onnxmem.factorize import Compressed, Compressor, Run, relative_error
from onnxmem.network.activations import Activations
from onnxmem.network.layer_run import LayerRun


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
        run: the layer.
        kind: of batches.
        method: the compressor.
        captured: gives the capture of a batch by its number.
        apply: applies a function to stacks of points.
    """

    run: LayerRun
    kind: str
    method: Compressor
    captured: Callable[[int], Activations]
    apply: Run

    def score(self, levels: Sequence[float], fitted: Mapping[int, Compressed]) -> list[Scored]:
        """Score some batches, whose factors are `fitted`, at some levels."""
        points = [
            Point(level, number, draw)
            for level in levels
            for number, factors in fitted.items()
            for draw in range(factors.draws(level))
        ]
        batches = self.run.evaluation.batches(self.kind)
        parts = self.run.stacks([batches[point.number] for point in points])
        scored = self.apply(lambda stack: self._score(stack, fitted), [points[p] for p in parts])
        return list(joined.from_iterable(scored))

    def _score(self, stack: Sequence[Point], fitted: Mapping[int, Compressed]) -> list[Scored]:
        """Score points whose approximations go through the tail together."""
        captures = {number: self.captured(number) for number in {point.number for point in stack}}
        made = {
            point: self._approximate(point, fitted[point.number], captures[point.number])
            for point in stack
        }
        changed = {point: new for point, (new, _) in made.items() if new is not None}
        found = self.run.hits(
            [(self.kind, point.number) for point in changed],
            [captures[point.number] for point in changed],
            list(changed.values()),
        )
        hits = dict(zip(changed, found, strict=True))
        return [
            Scored(point, hits[point] if point in hits else self._known_hits(point), error)
            for point, (_, error) in made.items()
        ]

    def _approximate(
        self, point: Point, fitted: Compressed, capture: Activations
    ) -> tuple[Array | None, float]:
        """Return the approximation, None where its hits are known without it, and its error."""
        matrix = capture.matrix()
        with self.run.evaluation.clock.stage("factorization"):
            approximation = fitted.approximate(matrix, point.level, point.draw)
            if approximation is matrix:
                return None, 0.0
            error = relative_error(matrix, approximation)
        known = self.run.known(self.method.name, point.level) is not None
        return None if known else approximation, error

    def _known_hits(self, point: Point) -> np.ndarray:
        """Return the hits (rows,) of a batch at a point that needs no run of the tail."""
        known = self.run.known(self.method.name, point.level)
        if known is None:
            return self.run.unchanged_hits(self.kind, point.number)
        rows = self.run.evaluation.batches(self.kind)[point.number].rows
        return np.asarray(known[point.draw, rows])
