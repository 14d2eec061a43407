"""Inputs to try a model on: given samples, or random ones where the answers do not matter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeGuard

import numpy as np

from onnxmem import graph
from onnxmem.arrays import free_memory
from onnxmem.data import Column, make_samples
from onnxmem.errors import DataError, ModelRefusedError, UsageError
from onnxmem.network.classifier import PROBED
from onnxmem.network.network import feed, require_room
from onnxmem.runtime import Device, Session

_SEED = 0

_FREE_SIZES = ((16, 64), (32, 32), (64, 64), (8, 8), (128, 128), (224, 224))
"""Sizes to try for free dimensions: those of inputs with up to three axes, and of images."""

_LARGEST = 1 << 27
"""Elements above which no input is drawn: a GiB of double precision."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model can be fed.

    Attributes:
        samples: for each input that has samples along axis 0, an array (count, ...).
        shared: inputs that all samples have in common.
        count: how many samples there are.
        random: whether they were drawn at random.
        invented: whether sizes were chosen that the model leaves free, axis 0 apart.
        recorded: whether they are a test case, which runs as a whole.
        notes: what was assumed of given samples, and changed so that the model takes them.
        called: what rows of given samples are called.
    """

    samples: Mapping[str, Column]
    shared: Mapping[str, np.ndarray]
    count: int
    random: bool
    invented: bool = False
    recorded: bool = False
    notes: tuple[str, ...] = ()
    called: Callable[[np.ndarray], Sequence[str]] | None = None

    def batch(self, model: graph.Model) -> dict[str, np.ndarray]:
        """Return as many samples as `model` takes at once, or a few, and what they share."""
        size = graph.native_batch(model) or PROBED
        return {name: array[:size] for name, array in self.samples.items()} | dict(self.shared)


def find_inputs(model: graph.Model, arrays: Mapping[str, Column] | None, device: Device) -> Inputs:
    """Return inputs on which `model` runs: from `arrays`, or drawn at random.

    Raises:
        UsageError: `arrays` do not fit, or the model does not run on random inputs.
        ModelRefusedError: onnxruntime does not take the model at all.
    """
    if arrays is not None:
        given = make_samples(arrays, model.inputs)
        return Inputs(
            given.inputs,
            given.shared,
            len(given),
            random=False,
            notes=given.notes,
            called=given.called,
        )
    require_room(model, free_memory(device.is_cuda) // 2)
    session = Session(graph.expose(model, []), device, exact=True, prepack=False)
    cause = ""
    for drawn in _drawn(model):
        feeds = feed(drawn.batch(model), device)
        try:
            session.run(feeds)
        except ModelRefusedError as error:
            cause = cause or str(error)
        else:
            return drawn
    raise UsageError(f"{model.path} does not run on random inputs; give some with --data ({cause})")


def recorded_inputs(model: graph.Model, recorded: graph.Recorded) -> Inputs:
    """Return the inputs of a test case.

    They are samples where all agree on the size of axis 0; else nothing is known of samples.

    Raises:
        DataError: an input has the wrong type or number of axes.
    """
    arrays = {spec.name: _typed(recorded.inputs[spec.name], spec) for spec in model.inputs}
    counts = {array.shape[:1] for array in arrays.values()}
    if len(counts) == 1 and (count := counts.pop()) and count[0]:
        return Inputs(arrays, {}, count[0], random=False, recorded=True)
    return Inputs({}, arrays, 1, random=False, recorded=True)


def _typed(array: np.ndarray, spec: graph.TensorSpec) -> np.ndarray:
    if spec.shape is not None and len(spec.shape) != array.ndim:
        raise DataError(
            f"input {spec.name!r} takes {len(spec.shape)} axes, the test case has {array.ndim}"
        )
    if spec.dtype in (None, array.dtype.name) or (spec.dtype == "str" and array.dtype == object):
        return array
    if array.dtype.kind == "f" and spec.dtype in ("float16", "float32", "float64"):
        return array.astype(spec.dtype)
    raise DataError(f"input {spec.name!r} takes {spec.dtype}, the test case has {array.dtype.name}")


def _drawn(model: graph.Model) -> Iterator[Inputs]:
    """Yield random inputs, with one choice of the free sizes after another."""
    native = graph.native_batch(model)
    for sizes in _FREE_SIZES:
        drawn = _Drawn(model, native, sizes)
        yield drawn.inputs()
        if not drawn.invented:
            return


class _Drawn:
    """One choice of sizes; dimensions of one name have one size."""

    def __init__(self, model: graph.Model, native: int | None, sizes: tuple[int, int]) -> None:
        self.model, self.native, self.sizes = model, native, sizes
        self.rng = np.random.default_rng(_SEED)
        fixed = {spec.shape[0] for spec in model.inputs if spec.shape}
        self.count = 2 * native if native else next(n for n in count(2) if n not in fixed)
        self.named = {
            spec.shape[0]: self.count
            for spec in model.inputs
            if spec.shape and isinstance(spec.shape[0], str)
        }
        self.counted = frozenset(self.named)
        self.invented = False

    def inputs(self) -> Inputs:
        samples: dict[str, np.ndarray] = {}
        shared: dict[str, np.ndarray] = {}
        for spec in self.model.inputs:
            group = samples if self._has_samples(spec) else shared
            group[spec.name] = self._array(spec)
        return Inputs(samples, shared, self.count, random=True, invented=self.invented)

    def _has_samples(self, spec: graph.TensorSpec) -> bool:
        if not spec.shape:
            return False
        return spec.shape[0] == self.native or not _is_size(spec.shape[0])

    def _array(self, spec: graph.TensorSpec) -> np.ndarray:
        if spec.shape is None:
            raise UsageError(
                f"{self.model.path} does not say how many axes its input {spec.name!r} has; "
                "give samples with --data"
            )
        rank = len(spec.shape)
        if self._has_samples(spec):
            shape = [self.count, *(self._size(dim, rank) for dim in spec.shape[1:])]
            self._require_size(spec, shape)
            return _fill(spec, shape, self.rng)
        shape = [self._size(dim, rank) for dim in spec.shape]
        self._require_size(spec, shape)
        # What goes with each sample along another axis, such as a state, is the same for all.
        one = [1 if dim in self.counted else n for dim, n in zip(spec.shape, shape, strict=True)]
        return np.broadcast_to(_fill(spec, one, self.rng), shape).copy()

    def _require_size(self, spec: graph.TensorSpec, shape: list[int]) -> None:
        if math.prod(shape) > _LARGEST:
            raise UsageError(
                f"{self.model.path} takes {spec.name!r} as {tuple(spec.shape or ())}, too large to "
                "be drawn at random; give samples with --data"
            )

    def _size(self, dim: graph.Dim, rank: int) -> int:
        if _is_size(dim):
            return dim
        size = self.sizes[rank >= 4]
        if isinstance(dim, str) and dim in self.named:
            return self.named[dim]
        self.invented = True
        return self.named.setdefault(dim, size) if isinstance(dim, str) else size


def _is_size(dim: graph.Dim) -> TypeGuard[int]:
    return isinstance(dim, int) and dim > 0


def _fill(spec: graph.TensorSpec, shape: list[int], rng: np.random.Generator) -> np.ndarray:
    if spec.dtype == "str":
        return np.full(shape, "", dtype=object)
    try:
        dtype = np.dtype(spec.dtype or "float32")
    except TypeError as error:
        raise UsageError(
            f"input {spec.name!r} takes {spec.dtype}, which cannot be drawn at random; "
            "give samples with --data"
        ) from error
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, 2, size=shape).astype(dtype)
