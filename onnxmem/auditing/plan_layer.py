"""What one layer costs: what an audit does with it, counted, times what each of that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Protocol

import numpy as np

from onnxmem.auditing.cost import Cost, LayerPlan
from onnxmem.compression.experiment import Experiment
from onnxmem.compression.points import factor_room, levels
from onnxmem.compression.rank_choice import first_places
from onnxmem.factorize import Compressor, compressor
from onnxmem.network.memory import Share

_ANY = np.ones((4, 4), np.float32)


class Compressing(Protocol):
    """The seconds that compressors take with one batch of a layer."""

    def fit(self, method: Compressor, grid: tuple[float, ...], chosen: Sequence[float]) -> float:
        """Return those of a fit so far that the batch has the levels `chosen`."""
        ...

    def approximate(self, method: Compressor, grid: tuple[float, ...], level: float) -> float:
        """Return those of one approximation and its error."""
        ...


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a layer is made of, and what each piece takes.

    Attributes:
        tensor: its name.
        signed: whether it can be negative.
        matrix: the shape of a batch's activation matrix.
        limits: the rank from which on an approximation of a batch can be exact; that of its parts.
        share: how much of it is held and done at once.
        resident: bytes that the process holds besides.
        cutting: seconds to cut the network there.
        head, tail: seconds of a batch in either part, the tail among as many as share a run.
        stacking: seconds to make the matrix of a batch.
        compressing: those of the compressors.
    """

    tensor: str
    signed: bool
    matrix: tuple[int, int]
    limits: tuple[int, int]
    share: Share
    resident: int
    cutting: float
    head: float
    tail: float
    stacking: float
    compressing: Compressing


def plan_layer(pieces: Pieces, experiment: Experiment) -> LayerPlan:
    """Count what all compressors do with all kinds of batches of a layer."""
    return _Counted(pieces, experiment).plan()


class _Counted:
    """Counts what an audit does with one layer."""

    def __init__(self, pieces: Pieces, experiment: Experiment) -> None:
        self.pieces, self.settings = pieces, experiment.settings
        self.evaluation = experiment.evaluation

    def plan(self) -> LayerPlan:
        pieces = self.pieces
        total = [self._checks()] * 3
        ranks: tuple[float, ...] = ()
        methods = [compressor(name, signed=pieces.signed) for name in self.settings.compress]
        for method in methods:
            total = [a + b for a, b in zip(total, self._compressor(method), strict=True)]
            if method.x_name == "rank":
                ranks = self._levels(method)
        return LayerPlan(
            tensor=pieces.tensor,
            matrix=pieces.matrix,
            ranks=ranks,
            step=pieces.share.step,
            side_by_side=pieces.share.side_by_side,
            memory=pieces.share.peak + max(map(self._factors, methods)),
            resident=pieces.resident,
            least=total[0],
            expected=total[1],
            most=total[2],
        )

    def _levels(self, method: Compressor) -> tuple[float, ...]:
        return levels(method, self.settings, self.pieces.limits[method.parts])

    def _factors(self, method: Compressor) -> int:
        """Return how many bytes the factors that are held at once take at most."""
        each = self._factors_of_one(method)
        count = max(map(self._batches, self.settings.batch))
        held = count if self._keeps(method, count) else min(count, self.pieces.share.side_by_side)
        return each * held

    def _factors_of_one(self, method: Compressor) -> int:
        return method.held_bytes(self.pieces.matrix, self._levels(method))

    def _keeps(self, method: Compressor, batches: int) -> bool:
        """Tell whether there is room for the factors of so many batches."""
        return self._factors_of_one(method) * batches <= factor_room(self.settings)

    def _checks(self) -> Cost:
        """Return what the cut, the captures and the self-check cost."""
        batches = sum(map(self._batches, self.settings.batch))
        at_once = self.pieces.share.side_by_side
        cutting = Cost(seconds=self.pieces.cutting)
        checks = cutting + self._cost(batches, at_once, heads=1, tails=1)
        if self.pieces.share.keep:
            return checks
        return checks + Cost(head_runs=1, seconds=self.pieces.head)

    def _compressor(self, method: Compressor) -> list[Cost]:
        """Return the least, the expected and the most that a compressor costs."""
        grid = self._levels(method)
        kept = self._keeps(method, max(map(self._batches, self.settings.batch)))
        adaptive = method.x_name == "rank" and self.settings.ranks == "auto" and kept
        first = {grid[place] for place in first_places(len(grid))}
        rest = [level for level in grid if level not in first]
        few = [level for level in grid if level in first] if adaptive else grid
        some = sorted({*few, *rest[::2]})
        costs = [
            self._at(method, grid, chosen, 1 + len(chosen) * adaptive)
            for chosen in (few, some, grid)
        ]
        seconds = accumulate((cost.seconds for cost in costs), max)
        return [replace(cost, seconds=most) for cost, most in zip(costs, seconds, strict=True)]

    def _at(
        self, method: Compressor, grid: tuple[float, ...], chosen: Sequence[float], heads: int
    ) -> Cost:
        """Return what a compressor costs at some levels, all kinds of batches together."""
        pieces, limit = self.pieces, self.pieces.limits[method.parts]
        hard = [level for level in chosen if not method.is_exact(level, limit)]
        draws = {level: _draws(method, grid, level) for level in chosen}
        seconds = pieces.compressing.fit(method, grid, hard or chosen)
        seconds += len(chosen) * pieces.stacking
        for level in chosen:
            seconds += draws[level] * pieces.compressing.approximate(method, grid, level)
        cost = Cost()
        for number, kind in enumerate(self.settings.batch):
            known = number and method.row_by_row and self.evaluation.independent
            cost += self._cost(
                self._batches(kind),
                pieces.share.scored_at_once,
                heads=0 if pieces.share.keep else heads,
                tails=0 if known else sum(draws[level] for level in hard),
                fits=1,
                approximations=sum(draws.values()),
                seconds=seconds,
            )
        return cost

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
        each = heads * self.pieces.head + tails * self.pieces.tail + seconds
        return Cost(
            head_runs=batches * heads,
            tail_runs=batches * tails,
            factorizations=batches * fits,
            approximations=batches * approximations,
            seconds=batches * each / min(at_once, batches),
        )


def _draws(method: Compressor, grid: tuple[float, ...], level: float) -> int:
    """Return how many approximations of any matrix there are at a level."""
    return method.fit(_ANY, grid, 0).draws(level)
