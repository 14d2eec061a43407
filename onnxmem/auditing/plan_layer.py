"""What one layer costs: what an audit does with it, counted, times what each of that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from onnxmem.auditing.cost import Cost, LayerPlan
from onnxmem.compression.experiment import Experiment
from onnxmem.compression.fates import Fates, halvings
from onnxmem.compression.points import factor_room, levels
from onnxmem.compression.rank_choice import AUDITED, first_places
from onnxmem.factorize import Compressor, compressor
from onnxmem.network.memory import Share

_ANY = np.ones((4, 4), np.float32)
_SAMPLES = 512
"""A matrix, and samples, to count what is done with any."""


class Compressing(Protocol):
    """The seconds that compressors take with one batch of a layer."""

    def fit(self, method: Compressor, grid: tuple[float, ...], chosen: Sequence[float]) -> float:
        """Return those of a fit so far that the batch has the levels `chosen`."""
        ...

    def approximate(self, method: Compressor, grid: tuple[float, ...], level: float) -> float:
        """Return those of one approximation."""
        ...


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a layer is made of, and what each piece takes.

    Attributes:
        tensor: its name.
        signed: whether it can be negative.
        matrix: the shape of a batch's activation matrix.
        limits: the rank from which on an approximation of a batch can be exact; that of its parts.
        by_sample: whether samples may go through the tail without the rest of their batch.
        share: how much of it is held and done at once.
        resident: bytes that the process holds besides.
        cutting: seconds to cut the network there.
        head, tail: seconds of a batch in either part, the tail among as many as share a run.
        compressing: those of the compressors.
    """

    tensor: str
    signed: bool
    matrix: tuple[int, int]
    limits: tuple[int, int]
    by_sample: bool
    share: Share
    resident: int
    cutting: float
    head: float
    tail: float
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
            step=int(pieces.share.step),
            side_by_side=int(pieces.share.side_by_side),
            memory=int(pieces.share.peak) + max(map(self._factors, methods)),
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
        if self.settings.ranks != "auto" or not kept:
            return [self._at(method, grid, np.ones(len(grid)), passes=1)] * 3
        few, some = (shares_run(len(grid), method.draws, moves=moves) for moves in (False, True))
        if not self.pieces.by_sample:
            few, some = np.ceil(few), np.ceil(some)
        return [
            self._at(method, grid, few, passes=1),
            self._at(method, grid, some, passes=1),
            self._at(method, grid, np.ones(len(grid)), passes=len(grid)),
        ]

    def _at(
        self, method: Compressor, grid: tuple[float, ...], shares: np.ndarray, passes: int
    ) -> Cost:
        """Return what a compressor costs that runs a share of the samples at each level."""
        pieces, limit = self.pieces, self.pieces.limits[method.parts]
        hard = [level for level in grid if not method.is_exact(level, limit)]
        draws = [_draws(method, grid, level) for level in grid]
        run = dict(zip(grid, (shares * draws).tolist(), strict=True))
        fitting = pieces.compressing.fit(method, grid, hard or grid)
        making = sum(run[n] * pieces.compressing.approximate(method, grid, n) for n in hard)
        cost = Cost()
        for number, kind in enumerate(self.settings.batch):
            known = bool(number and method.row_by_row and self.evaluation.independent)
            cost += self._cost(
                self._batches(kind),
                pieces.share.scored_at_once,
                heads=0 if pieces.share.keep else 1 if known else passes,
                tails=0.0 if known else sum(run[level] for level in hard),
                fits=1,
                approximations=0 if known else sum(run[level] > 0 for level in hard),
                seconds=fitting + (0.0 if known else making),
            )
        return cost

    def _batches(self, kind: str) -> int:
        return len(self.evaluation.batches(kind))

    def _cost(
        self,
        batches: int,
        at_once: int,
        heads: int,
        tails: float,
        fits: int = 0,
        approximations: int = 0,
        seconds: float = 0.0,
    ) -> Cost:
        """Return what so many runs for each of `batches` cost, `at_once` of which are at work."""
        each = heads * self.pieces.head + tails * self.pieces.tail + seconds
        return Cost(
            head_runs=batches * heads,
            tail_runs=round(batches * tails),
            factorizations=batches * fits,
            approximations=batches * approximations,
            seconds=batches * each / min(at_once, batches),
        )


def shares_run(levels: int, draws: int, *, moves: bool) -> np.ndarray:
    """Return which share of the samples is run at each level, counted by what chooses them.

    Samples fare alike at all levels; or, if each of them `moves`, it is right from a level on that
    is drawn from all.
    """
    fates, full = Fates(levels, draws, _SAMPLES, AUDITED[draws > 1], 0), first_places(levels, draws)
    rng, rows = np.random.default_rng(0), np.arange(_SAMPLES)
    first = rng.integers(levels + 1, size=_SAMPLES) if moves else np.zeros(_SAMPLES, np.int64)
    shares = np.zeros(levels)
    steps = ((False, places) for places in halvings(levels, full))
    for everyone, places in chain([(True, list(full))], steps):
        wanted = [fates.wanted(place, rows, everyone) for place in places]
        for place, chosen in zip(places, wanted, strict=True):
            shares[place] = chosen.mean()
            for draw, some in enumerate(chosen):
                fates.take(place, draw, rows[some], place >= first[some])
    return shares


def _draws(method: Compressor, grid: tuple[float, ...], level: float) -> int:
    """Return how many approximations of any matrix there are at a level."""
    return method.fit(_ANY, grid, 0).draws(level)
