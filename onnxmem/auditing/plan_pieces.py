"""The pieces of a layer: timed where that is cheap, else told from the profile of the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, resident_memory
from onnxmem.auditing.plan_layer import Pieces
from onnxmem.auditing.plan_profile import Profile
from onnxmem.auditing.plan_rates import Rates, timed
from onnxmem.compression.experiment import Experiment
from onnxmem.factorize import Compressed, Compressor, relative_error
from onnxmem.network.activations import Activations
from onnxmem.network.evaluation import Evaluation
from onnxmem.network.layer_run import LayerRun, feature_axis
from onnxmem.network.layout import to_matrix
from onnxmem.network.memory import Load, divide, largest_stack
from onnxmem.network.stacking import find_stacker


def timed_pieces(site: graph.Site, experiment: Experiment) -> Pieces:
    """Return the pieces of a layer, each of which was done with one batch.

    Raises:
        SkipError: the layer cannot be measured.
        OnnxmemError: as above.
    """
    return _Timed(site, experiment).pieces()


class _Timed:
    """One batch of one layer; it knows how long a compressor takes with it."""

    def __init__(self, site: graph.Site, experiment: Experiment) -> None:
        self.site, self.settings = site, experiment.settings
        self.evaluation = experiment.evaluation
        self.run: LayerRun
        self.run, self.cutting = self._timed(lambda: LayerRun(site, self.evaluation))
        self.kind = self.settings.batch[0]
        self.rows = self.evaluation.batches(self.kind)[0].rows
        split = self.run.split
        self.fits: dict[tuple[str, float], float] = {}
        self.approximations: dict[str, float] = {}
        self.capture: Activations
        self.capture, self.head = self._timed(
            lambda: split.capture(self.rows, self.run.axis, self.run.share.step)
        )
        _, compiling = timed(lambda: split.prepare_tail(self.capture.pieces[0]), self.on_device)
        self.cutting += compiling
        self.matrix, self.stacking = self._timed(self.capture.matrix)

    @property
    def on_device(self) -> bool:
        return self.evaluation.network.device.is_cuda

    def _timed(self, work: Callable[[], Any]) -> tuple[Any, float]:
        return timed(work, self.on_device)

    def pieces(self) -> Pieces:
        tail, share = self._tail_seconds(len(self.rows)), self.run.share
        self.run.map(lambda _: self._tail(), range(share.side_by_side))
        resident = resident_memory()
        key = (self.kind, 0)
        return Pieces(
            tensor=self.site.tensor,
            signed=self.run.signed,
            matrix=self.capture.matrix_shape,
            limits=(self.run.limit(key), self.run.limit(key, parts=True)),
            share=share,
            resident=resident,
            cutting=self.cutting,
            head=self.head,
            tail=tail,
            stacking=self.stacking,
            compressing=self,
        )

    def _tail(self) -> Any:
        return self.run.split.outputs(self.capture, self.capture.tensors(self.matrix))

    def _tail_seconds(self, samples: int) -> float:
        """Return what one batch of so many samples costs, among as many as go together."""
        batches = max(len(self.evaluation.batches(kind)) for kind in self.settings.batch)
        count = min(self.run.share.stack // samples, batches)
        stacker = find_stacker(self.run.split, [self.capture]) if count > 1 else None
        if stacker is None:
            _, seconds = self._timed(self._tail)
            return seconds
        stack = [self.capture] * count, [self.matrix] * count
        _, seconds = self._timed(partial(stacker.outputs, *stack))
        return seconds / count

    def fit(self, method: Compressor, grid: tuple[float, ...], chosen: Sequence[float]) -> float:
        """Fit the matrix; see `Compressing`."""
        key = method.name, max(chosen)
        if key not in self.fits:
            _, self.fits[key] = self._timed(lambda: self._fitted(method, grid, max(chosen)))
        return self.fits[key]

    def _fitted(self, method: Compressor, grid: tuple[float, ...], level: float) -> Compressed:
        fitted = method.fit(self.matrix, grid, self.settings.seed)
        fitted.approximate(self.matrix, level)
        return fitted

    def approximate(self, method: Compressor, grid: tuple[float, ...], level: float) -> float:
        """Approximate the matrix at the level in the middle of all; see `Compressing`."""
        if method.name not in self.approximations:
            middle = grid[len(grid) // 2]
            fitted = self._fitted(method, grid, middle)
            _, self.approximations[method.name] = self._timed(
                lambda: relative_error(self.matrix, fitted.approximate(self.matrix, middle))
            )
        return self.approximations[method.name]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the rates of this machine say of matrices of one shape."""

    rates: Mapping[str, Rates]
    shape: tuple[int, int]

    def fit(self, method: Compressor, grid: tuple[float, ...], chosen: Sequence[float]) -> float:
        """Scale what was measured; see `Compressing`."""
        return self.rates[method.name].fit(method, self.shape, chosen)

    def approximate(self, method: Compressor, grid: tuple[float, ...], level: float) -> float:
        """Scale what was measured; see `Compressing`."""
        return self.rates[method.name].approximation(method, self.shape, level)


def told_pieces(
    profile: Profile, rates: Mapping[str, Rates], site: graph.Site, experiment: Experiment
) -> Pieces:
    """Return the pieces of a layer as the profile tells them.

    Raises:
        SkipError: the layer cannot be measured.
        OutOfMemoryError: the memory budget does not hold a single batch.
    """
    evaluation = experiment.evaluation
    sides, tensor = profile.sides[site.tensor], profile.tensors[site.tensor]
    load = _load(site, evaluation, profile)
    share = divide(load, evaluation.network.memory, evaluation.network.workers.count)
    matrix = site_matrix(site, tensor)
    samples = len(evaluation.batches(evaluation.kinds[0])[0].rows)
    shape = len(matrix) * samples // profile.samples, matrix.shape[1]
    rate = rates["ablation"].value if "ablation" in rates else next(iter(rates.values())).value
    return Pieces(
        tensor=site.tensor,
        signed=site.signed,
        matrix=shape,
        limits=_limits(matrix, shape),
        share=share,
        resident=resident_memory(),
        cutting=2 * profile.compiling,
        head=samples * profile.side(sides.head),
        tail=samples * profile.side(sides.tail),
        stacking=rate * shape[0] * shape[1],
        compressing=_Told(rates, shape),
    )


def site_matrix(site: graph.Site, tensor: Array) -> Array:
    """Return the activation matrix of what a site gave.

    Raises:
        SkipError: there is none.
    """
    return to_matrix(tensor, feature_axis(site, tensor))


def _load(site: graph.Site, evaluation: Evaluation, profile: Profile) -> Load:
    """Return the bytes of a cut; see `LayerRun`."""
    network, needs = evaluation.network, profile.sides[site.tensor].needs
    names = (site.tensor, *needs.crossing)
    held = sum(int(profile.tensors[name].nbytes) for name in names) // profile.samples
    held += sum(
        int(evaluation.inputs[n][:1].nbytes) for n in needs.direct if n in evaluation.inputs
    )
    return Load(
        captured=held,
        largest=network.largest,
        batch=max(len(one.rows) for kind in evaluation.kinds for one in evaluation.batches(kind)),
        samples=len(evaluation.truth) * len(evaluation.kinds),
        native=network.batch,
        whole=bool(needs.whole_batch) or not evaluation.separable,
        tail=network.largest_after(site.tensor),
        stack=largest_stack(network.device.is_cuda),
    )


def _limits(matrix: Array, shape: tuple[int, int]) -> tuple[int, int]:
    """Return from which rank on a batch of this shape can be exact, and its parts; see `LayerRun`.

    `matrix` holds the activations of a few samples.
    """
    rows = int(np.ceil(float(matrix.any(axis=1).mean()) * shape[0]))
    columns = int(matrix.any(axis=0).sum())
    halves = int((matrix > 0).any(axis=0).sum() + (matrix < 0).any(axis=0).sum())
    return max(1, min(rows, columns)), max(1, min(rows, halves))
