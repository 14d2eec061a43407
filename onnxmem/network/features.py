"""Features of many samples at many layers, from one pass of the network with all of them exposed.

The features of a sample at a layer are its activations, flattened and, where they are long,
projected (`onnxmem.neighbours.projection`). They are kept in memory, or in files of a temporary
folder where that holds too little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, namespace, to_host
from onnxmem.cache.scratch import scratch_folder
from onnxmem.data import Column
from onnxmem.errors import DataError
from onnxmem.neighbours import Projection
from onnxmem.neighbours.projection import width
from onnxmem.network.classifier import check_classifies
from onnxmem.network.layout import find_unit
from onnxmem.network.lost_scores import naming_lost
from onnxmem.network.memory import piece_size, pieces_at_once
from onnxmem.network.network import Network
from onnxmem.network.outputs import logits
from onnxmem.network.padding import Padding
from onnxmem.network.sample_axis import SampleAxis, find_sample_axis, fixed_axis
from onnxmem.network.shelf import Shelf
from onnxmem.network.words import find_words
from onnxmem.text import listed

INPUT = "input"
"""What stands for the inputs of the network among the layers."""

OUTPUT = "(output)"
"""What stands for the scores of the classes, see `onnxmem.network.outputs.logits`."""

Pool = Literal["all", "mean"]

_STEP = 64
"""Samples that run together, where the network takes any number."""

_PROJECTION_SHARE = 0.25
_FEATURES_SHARE = 0.25
"""Of the memory: what is drawn of the projection, and the features themselves."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where features are taken: a tensor, and the axis of its features if that is known."""

    tensor: str
    feature_axis: int | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """Features of samples at some layers.

    Attributes:
        layers: tensor -> (samples, features) float32, in the order of the network.
        refused: tensor -> why it gives none.
        predictions: (samples,) the class that the network predicts.
        width: how many values the output that classifies has for a sample.
        shortened: the tensors whose features were projected.
    """

    layers: Mapping[str, np.ndarray]
    refused: Mapping[str, str]
    predictions: np.ndarray
    width: int
    shortened: frozenset[str] = frozenset()


@contextmanager
def collect(
    network: Network,
    inputs: Mapping[str, Column],
    shared: Mapping[str, Array],
    rows: np.ndarray,
    places: Sequence[Place],
    *,
    names: Sequence[str] | None = None,
    pool: Pool = "all",
    padding: Padding | None = None,
    seed: int = 0,
    share: float | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> Iterator[Features]:
    """Run samples through the network once, and give their features while the context lasts.

    Args:
        network: the network.
        inputs: all samples by input, on the host.
        shared: inputs that all samples have in common, on the device.
        rows: which samples, in the order of the result.
        places: where; the tensor `INPUT` stands for the inputs, `OUTPUT` for the logits.
        names: what those samples are called in messages; None: by their rows.
        pool: `mean` takes the mean over positions first.
        padding: what tells which positions are real; others count for nothing.
        seed: of the projection.
        share: of the memory, for features, others go to disk; None where no others are kept.
        advance: told how many samples are done.

    Raises:
        DataError: there are fewer samples than the network takes at once.
        InconclusiveError: the network gives no classes.
        OutOfMemoryError: neither the memory nor the temporary folder holds the features.
    """
    if len(rows) < (network.batch or 1):
        raise DataError(
            f"too few samples: the model takes {network.batch} at once, the data hold {len(rows)}"
        )
    with scratch_folder() as folder:
        run = _Pass(network, inputs, shared, places, pool, padding, seed)
        shelf = Shelf(folder, int((share or _FEATURES_SHARE) * network.memory))
        called = names if names is not None else [f"row {row}" for row in rows]
        with naming_lost(network, len(rows), partial(_names, called), run.output_of(rows)):
            features = run.over(rows, called, shelf, advance)
        yield features


class _Pass:
    """One pass over samples."""

    def __init__(
        self,
        network: Network,
        inputs: Mapping[str, Column],
        shared: Mapping[str, Array],
        places: Sequence[Place],
        pool: Pool,
        padding: Padding | None,
        seed: int,
    ) -> None:
        self.network, self.inputs, self.shared = network, inputs, shared
        self.places, self.pool, self.padding = places, pool, padding
        self.words = find_words(network.model, inputs)
        self.axes: dict[str, SampleAxis] = {}
        self.units: dict[str, float] = {}
        self.project = Projection(seed, int(_PROJECTION_SHARE * network.memory))
        tensors = [one.tensor for one in places if one.tensor not in (INPUT, OUTPUT)]
        self.names = (network.output, *tensors)
        self.session = network.session(graph.expose(network.model, tensors))
        self.width = 0
        self.refused: dict[str, str] = {}
        self.shortened: set[str] = set()
        self.broken: dict[str, set[int]] = defaultdict(set)

    def over(
        self,
        rows: np.ndarray,
        called: Sequence[str],
        shelf: Shelf,
        advance: Callable[[int], None],
    ) -> Features:
        """Return the features of the samples `rows`."""
        step, at_once = self._division(rows)
        _, found = self._piece(rows[:step], 0)
        kept = {one: shelf.room(len(rows), part.shape[1]) for one, part in found.items()}
        predictions = np.empty(len(rows), np.int64)

        def fill(start: int) -> int:
            first = min(start, len(rows) - step)
            new = slice(start, first + step)
            classes, found = self._piece(rows[first : new.stop], first)
            predictions[new] = classes[start - first :]
            for tensor, part in found.items():
                kept[tensor][new] = part[start - first :]
            advance(new.stop)
            return first

        self.network.workers.map(fill, range(0, len(rows), step), at_once)
        for tensor, places in self.broken.items():
            self.refused[tensor] = _not_finite([called[one] for one in sorted(places)])
        sound = {one: array for one, array in kept.items() if one not in self.refused}
        return Features(sound, self.refused, predictions, self.width, frozenset(self.shortened))

    def _division(self, rows: np.ndarray) -> tuple[int, int]:
        """Return how many samples run together, and how many pieces of so many at once."""
        network = self.network
        few = rows[: network.batch or min(2, len(rows))]
        values = self._run(few)[1]
        check_classifies(network, values[0], len(few))
        self.width = int(np.prod(values[0].shape[1:]))
        self._find_axes(rows, len(few), values[1:])
        held = sum(int(getattr(value, "nbytes", 0)) for value in values)
        each = max(network.largest, held // len(few))
        most = min(_STEP, len(rows))
        step = network.batch or piece_size(each, most, network.memory)
        return step, pieces_at_once(each, step, network.memory, network.workers.count)

    def _find_axes(self, rows: np.ndarray, count: int, values: Sequence[Array]) -> None:
        """Find where samples lie in the layers, whose `values` are those of the first `count`."""
        tried = self.network.batch is None and count == 2
        alone = self._run(rows[:1])[1][1:] if tried else values
        for tensor, one, value in zip(self.names[1:], alone, values, strict=True):
            if not hasattr(value, "dtype") or value.dtype.kind != "f":
                self.refused[tensor] = "it holds no floats"
                continue
            axis = find_sample_axis(one, value) if tried else fixed_axis(value.shape, count)
            if axis is None:
                shape = tuple(map(int, value.shape))
                self.refused[tensor] = f"which axis counts its samples cannot be told from {shape}"
            else:
                self.axes[tensor], self.units[tensor] = axis, find_unit([value])

    def _run(self, rows: np.ndarray) -> tuple[dict[str, Array], list[Array]]:
        """Return what the network is fed for some samples, and what it gives."""
        feeds = self.network.feeds({name: array[rows] for name, array in self.inputs.items()})
        return feeds, self.session.run(feeds | dict(self.shared), self.names)

    def output_of(self, rows: np.ndarray) -> Callable[[np.ndarray], Array]:
        """Return the function from places among `rows` to what the network gives for these."""
        return lambda places: self._run(rows[places])[1][0]

    def _piece(self, rows: np.ndarray, first: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the predictions for some samples, and their features at every layer."""
        feeds, (output, *values) = self._run(rows)
        check_classifies(self.network, output, len(rows))
        kept = self._kept(rows)
        activations, found = dict(zip(self.names[1:], values, strict=True)), {}
        for place in self.places:
            if place.tensor in self.refused:
                continue
            try:
                if place.tensor == INPUT:
                    flat = self._input(rows, feeds, kept)
                elif place.tensor == OUTPUT:
                    flat = self._output(output)
                else:
                    flat = self._flat(activations[place.tensor], place, kept)
            except _RefusedError as reason:
                self.refused[place.tensor] = str(reason)
                continue
            if lost := np.flatnonzero(~_finite_rows(flat)).tolist():
                self.broken[place.tensor].update(first + row for row in lost)
            if width(flat.shape[1]) < flat.shape[1]:
                self.shortened.add(place.tensor)
            found[place.tensor] = to_host(self.project(flat))
        return self.network.predict(output), found

    def _kept(self, rows: np.ndarray) -> Array | None:
        """Return which positions of some samples are real (samples, positions), None: all."""
        if self.padding is None:
            return None
        mask = self.padding.kept({self.padding.name: self.inputs[self.padding.name][rows]})
        return self.network.device.namespace.asarray(mask)

    def _input(self, rows: np.ndarray, feeds: Mapping[str, Array], kept: Array | None) -> Array:
        """Return the inputs of some samples side by side, (samples, features) float32.

        Of words it is how often each stands there.
        """
        parts, kinds = [], "fiub"
        if self.words is not None:
            inputs = {name: column[rows] for name, column in self.inputs.items()}
            counts = self.words.counts(inputs, self.padding)
            parts, kinds = list(self.network.feeds({INPUT: counts}).values()), "f"
        for name, array in feeds.items():
            is_mask = self.padding is not None and name == self.padding.name
            if array.dtype.kind in kinds and not is_mask:
                xp = namespace(array)
                real = _along_positions(array, None, kept)
                numbers = array.astype(xp.float32)
                numbers = numbers if real is None else numbers * real
                parts.append(numbers.reshape(len(array), -1))
        if not parts:
            raise _RefusedError("the inputs hold no numbers")
        return parts[0] if len(parts) == 1 else namespace(parts[0]).concatenate(parts, axis=1)

    def _output(self, output: Array) -> Array:
        """Return the logits of some samples (samples, classes)."""
        if self.network.form == "labels":
            raise _RefusedError("the output holds labels and no scores")
        return logits(output, self.network.form)

    def _flat(self, value: Array, place: Place, kept: Array | None) -> Array:
        """Return activations as (samples, features)."""
        value, axis = self.axes[place.tensor].first(value, place.feature_axis)
        unit = self.units[place.tensor]
        value = value if unit == 1 else value / unit
        real = _along_positions(value, axis, kept)
        value = value if real is None else value * real
        if self.pool == "mean" and value.ndim > 2:
            if axis is None:
                raise _RefusedError("the axis of its features cannot be told from the graph")
            axes = tuple(one for one in range(1, value.ndim) if one != axis)
            value = value.mean(axis=axes)
            value = value if real is None else value / real.mean(axis=axes)
        return value.reshape(len(value), -1)


def _along_positions(value: Array, feature_axis: int | None, kept: Array | None) -> Array | None:
    """Return what `value` (samples, ...) is multiplied by: 1 at real positions, 0 at others.

    None where all are real, or it cannot be told which axis counts them.
    """
    if kept is None:
        return None
    axes = [
        axis
        for axis in range(1, value.ndim)
        if axis != feature_axis and value.shape[axis] == kept.shape[1]
    ]
    if len(axes) != 1:
        return None
    shape = [1] * value.ndim
    shape[0], shape[axes[0]] = kept.shape
    return kept.astype(namespace(value).float32).reshape(shape)


class _RefusedError(Exception):
    """A tensor that gives no features; the message says why."""


def _names(called: Sequence[str], rows: np.ndarray) -> list[str]:
    return [called[row] for row in rows.tolist()]


def _finite_rows(flat: Array) -> np.ndarray:
    return to_host(namespace(flat).isfinite(flat).all(axis=1))


def _not_finite(names: Sequence[str]) -> str:
    noun = "sample" if len(names) == 1 else "samples"
    return f"NaN or infinite activations for {len(names)} {noun}: {listed(names)}"
