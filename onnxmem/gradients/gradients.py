"""A network with gradients: run once with its tensors exposed, walked back as often as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array
from onnxmem.errors import InconclusiveError, UsageError
from onnxmem.gradients.layout import Layout, any_layout, find_layout
from onnxmem.gradients.operators import Operators
from onnxmem.gradients.per_sample import Use, WeightGradients
from onnxmem.gradients.plan import make_plan
from onnxmem.gradients.walk import walk
from onnxmem.gradients.weights import Weight
from onnxmem.runtime import Device, Session
from onnxmem.text import printable

FLOATS = ("float32", "float64")
"""The types of tensors that have gradients."""


class Gradients:
    """Gives the gradients of outputs with respect to tensors and weights before them.

    Every node in between is checked when this is made. What these nodes read and make of a batch
    is held until its `Forward` is dropped. Several threads may run a batch each.
    """

    def __init__(
        self,
        model: graph.Model,
        device: Device,
        outputs: Sequence[str],
        *,
        wrt: Sequence[str] = (),
        weights: Sequence[str] = (),
        exact: bool = False,
    ) -> None:
        """Find the way from `outputs` to `wrt` and `weights`, and compile the run forward.

        Args:
            model: The network; half precision is widened, fused operators are taken apart.
            device: Where it runs.
            outputs: The tensors that are differentiated, such as outputs of the model or the
                logits before them, with samples along axis 0.
            wrt: The tensors with respect to which: inputs, or what nodes make of them.
            weights: The weights with respect to which; `find_weights` names those that can be.
            exact: Leave out the optimizations that round.

        Raises:
            NoGradientError: Nodes on the way have no gradient; the message names them.
            UsageError: There is no such tensor, or nothing leads from one to an output.
            ModelRefusedError: onnxruntime does not take the model.
        """
        self.device, self._plan = device, make_plan(model, outputs, wrt, weights)
        self._operators = Operators(device)
        self._constants = self._fixed()
        part = graph.compute(self._plan.model, self._plan.varying)
        self._session = Session(part, device, exact=exact)
        self._require_floats()
        self._layouts: dict[str, Layout | None] = {}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The tensors that are differentiated."""
        return self._plan.outputs

    def _require_floats(self) -> None:
        types = {spec.name: spec.dtype for spec in self._plan.model.inputs}
        types |= {spec.name: spec.dtype for spec in self._session.outputs}
        for name in (*self.outputs, *self._plan.keep):
            if types[name] not in FLOATS:
                raise UsageError(
                    f"{printable(name)!r} holds {types[name]}; gradients take floating point"
                )

    def _fixed(self) -> dict[str, Array]:
        """Return the tensors that no run changes: initializers, and what is computed of them."""
        model = self._plan.model
        content = {name: graph.constant(model, name) for name in self._plan.constant}
        computed = [name for name, array in content.items() if array is None]
        xp = self._operators.xp
        found = {name: xp.asarray(array) for name, array in content.items() if array is not None}
        if computed:
            session = Session(graph.compute(model, computed), self.device)
            found |= dict(zip(computed, session.run({}, computed), strict=True))
        return found

    def run(self, feeds: Mapping[str, Array]) -> Forward:
        """Run a batch.

        Args:
            feeds: An array of the device's library for each input of the model.

        Raises:
            UsageError: An input is missing.
            ModelRefusedError: A node fails on these inputs.
            OutOfMemoryError: The device has too little memory for them.
        """
        fed = dict(feeds)
        for spec in self._session.inputs:
            if spec.name not in fed:
                raise UsageError(f"the input {printable(spec.name)!r} is missing")
            if fed[spec.name].dtype.kind == "f":
                fed[spec.name] = fed[spec.name].astype(spec.dtype, copy=False)
        inputs = {spec.name: fed[spec.name] for spec in self._session.inputs}
        names = [spec.name for spec in self._session.outputs]
        made = dict(zip(names, self._session.run(inputs, names), strict=True))
        return Forward(self, self._constants | fed | made, sum(a.nbytes for a in made.values()))

    def walk_back(self, tensors: Mapping[str, Array], seeds: Sequence[Array]) -> dict[str, Array]:
        """Return the gradients of all tensors of interest; see `Forward.backward`."""
        if len(seeds) != len(self.outputs):
            raise UsageError(
                f"{len(self.outputs)} outputs take as many gradients, not {len(seeds)}"
            )
        given = {}
        for name, seed in zip(self.outputs, seeds, strict=True):
            output = tensors[name]
            if seed.shape != output.shape:
                raise UsageError(
                    f"a gradient of {printable(name)!r} has its shape {output.shape}, "
                    f"not {seed.shape}"
                )
            given[name] = seed.astype(output.dtype, copy=False)
        return walk(self._plan.path, tensors, given, self._plan.keep, self._operators)

    def layout(self, name: str, tensors: Mapping[str, Array], samples: int) -> Layout:
        """Return where the samples lie in a tensor of interest.

        The first batch of two samples or more tells, by walks for some of its samples only.

        Raises:
            InconclusiveError: The tensor does not keep the samples of a batch apart.
        """
        if name not in self._layouts and samples > 1:
            self._find_layouts(tensors, samples)
        if name not in self._layouts:
            return any_layout(tensors[name].shape, samples)
        layout = self._layouts[name]
        if layout is None:
            raise InconclusiveError(
                f"{printable(name)!r} does not keep the samples of a batch apart, so there is no "
                "gradient of each"
            )
        return layout

    def _find_layouts(self, tensors: Mapping[str, Array], samples: int) -> None:
        """Find the layouts of all tensors of interest that any gradient reaches."""
        split, rng, xp = samples // 2, np.random.default_rng(0), self._operators.xp
        seeds: tuple[list[Array], list[Array]] = ([], [])
        for name in self.outputs:
            output = tensors[name]
            for at, rows in enumerate((slice(split, None), slice(0, split))):
                drawn = rng.normal(size=output.shape).astype(output.dtype)
                drawn[rows] = 0
                seeds[at].append(xp.asarray(drawn))
        of_first, of_others = (self.walk_back(tensors, one) for one in seeds)
        for name in self._plan.keep:
            pair = of_first[name], of_others[name]
            if any(bool(one.any()) for one in pair):
                self._layouts[name] = find_layout(*pair, samples, split)

    def uses(self, weight: str) -> tuple[Weight, tuple[graph.Step, ...]]:
        """Return a weight of interest and the nodes by which it acts on the outputs."""
        return self._plan.uses[weight]


@dataclass(frozen=True, slots=True)
class Forward:
    """A batch that was run.

    Attributes:
        nbytes: What its exposed tensors take; gradients take as much again at most.
    """

    _gradients: Gradients = field(repr=False)
    _tensors: Mapping[str, Array] = field(repr=False)
    nbytes: int

    @property
    def outputs(self) -> tuple[Array, ...]:
        """The tensors that are differentiated."""
        return tuple(self._tensors[name] for name in self._gradients.outputs)

    def backward(self, *seeds: Array) -> Backward:
        """Walk back.

        Args:
            seeds: For each output the gradient that comes from behind it, of its shape: that of
                a loss, or ones. What a sample gets is that of its own rows as long as the
                network keeps samples apart.

        Raises:
            UsageError: There is not one seed for each output, or one of another shape.
            NoGradientError: A gradient arrives at whole numbers.
        """
        found = self._gradients.walk_back(self._tensors, seeds)
        return Backward(self._gradients, self._tensors, found)


@dataclass(frozen=True, slots=True)
class Backward:
    """The gradients of a batch.

    Attributes:
        tensors: All tensors of the run, by name.
        arrays: The gradient of each tensor of interest, as the tensor lies in the network.
    """

    _gradients: Gradients = field(repr=False)
    tensors: Mapping[str, Array] = field(repr=False)
    arrays: Mapping[str, Array] = field(repr=False)

    @property
    def samples(self) -> int:
        """How many samples the batch has: axis 0 of the outputs.

        Raises:
            InconclusiveError: The first output is one number for all of them.
        """
        output = self._gradients.outputs[0]
        if not self.tensors[output].ndim:
            raise InconclusiveError(f"{printable(output)!r} is one number for the whole batch")
        return len(self.tensors[output])

    def gradient(self, tensor: str) -> Array:
        """Return the gradient with respect to a tensor of interest (samples, ...).

        Raises:
            InconclusiveError: The tensor does not keep the samples of a batch apart.
        """
        return self._first(tensor, self.arrays[tensor])

    def value(self, tensor: str) -> Array:
        """Return a tensor of interest itself, with its axes in the same order."""
        return self._first(tensor, self.tensors[tensor])

    def _first(self, tensor: str, array: Array) -> Array:
        return self.layout(tensor).first(array, self.samples)

    def layout(self, tensor: str) -> Layout:
        """Return where the samples lie in a tensor of interest, or in what a weight made.

        Raises:
            InconclusiveError: The tensor does not keep the samples of a batch apart.
        """
        return self._gradients.layout(tensor, self.tensors, self.samples)

    def weight(self, name: str) -> WeightGradients:
        """Return the gradients with respect to a weight of interest.

        Raises:
            InconclusiveError: It acts on tensors that do not keep the samples of a batch apart.
        """
        weight, steps = self._gradients.uses(name)
        found = []
        for step in steps:
            (made,) = step.outputs
            read = step.inputs[1 - step.inputs.index(name)]
            found.append(Use(step, self.tensors[read], self.arrays[made], self.layout(made)))
        return WeightGradients(weight, tuple(found), self.samples)
