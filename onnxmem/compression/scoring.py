"""Approximations of samples, and what the tail makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from typing import NamedTuple

import numpy as np

from onnxmem.arrays import Array
from onnxmem.factorize import Compressed, Run
from onnxmem.network.activations import Activations, Pick
from onnxmem.network.layer_run import LayerRun


class Job(NamedTuple):
    """Samples of one batch, by their numbers in it, at one approximation."""

    place: int
    level: float
    number: int
    draw: int
    chosen: np.ndarray


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores samples of batches of one kind.

    Attributes:
        run: the layer.
        kind: of batches.
        fitted: what a compressor found for batches, by their numbers.
        captured: gives the capture of a batch by its number.
        apply: applies a function to stacks of samples.
    """

    run: LayerRun
    kind: str
    fitted: Mapping[int, Compressed]
    captured: Callable[[int], Activations]
    apply: Run

    def score(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        """Return for each job which of its samples are correct."""
        captures = {number: self.captured(number) for number in {job.number for job in jobs}}
        picks = [
            (place, job, pick)
            for place, job in enumerate(jobs)
            for pick in self.run.picks(captures[job.number], job.chosen)
        ]
        stacks = self.run.stacks([pick.samples for _, _, pick in picks])

        def outputs(stack: slice) -> list[np.ndarray]:
            chosen = [(job, pick) for _, job, pick in picks[stack]]
            parts = [self._approximate(job, captures[job.number], pick) for job, pick in chosen]
            return self.run.predicted([pick.activations for _, pick in chosen], parts)

        predicted: list[list[np.ndarray]] = [[] for _ in jobs]
        found = joined.from_iterable(self.apply(outputs, stacks))
        for (place, _, _), one in zip(picks, found, strict=True):
            predicted[place].append(one)
        batches = self.run.evaluation.batches(self.kind)
        truth = self.run.evaluation.truth
        return [
            np.concatenate(one) == truth[batches[job.number].rows[job.chosen]]
            for job, one in zip(jobs, predicted, strict=True)
        ]

    def _approximate(self, job: Job, capture: Activations, pick: Pick) -> Array:
        matrix = capture.matrix()
        with self.run.evaluation.clock.stage("factorization"):
            fitted = self.fitted[job.number]
            return fitted.approximate(matrix, job.level, job.draw, pick.rows)
