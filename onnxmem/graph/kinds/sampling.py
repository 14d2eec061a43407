"""What function of one number a piece of a graph computes, found by computing it.

Exporters take an activation apart in many ways, and all of them give the same numbers. So the
arithmetic between one tensor and another is computed for the numbers of a grid, whatever operators
it is made of. A tensor of integers stands for the numbers that its scale makes of it, so
quantisation changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.curve import GRID, Curve, elu, erf, gelu, hard_sigmoid, sigmoid, softplus
from onnxmem.graph.ops import given, is_standard, producer
from onnxmem.graph.quantized import RESULT
from onnxmem.graph.signs import zero_is_smallest

Numbers = Any
"""An array (n,) of what a tensor holds at each number of the grid, or one number for all."""

Operator = Callable[..., Numbers]

PLAIN: dict[str, Operator] = {
    "Abs": np.abs,
    "Add": np.add,
    "And": np.logical_and,
    "Cast": np.float64,
    "Ceil": np.ceil,
    "DequantizeLinear": np.asarray,
    "Div": np.divide,
    "Dropout": np.asarray,
    "Equal": np.equal,
    "Erf": erf,
    "Exp": np.exp,
    "Floor": np.floor,
    "Gelu": gelu,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "HardSwish": lambda x: x * hard_sigmoid(x, 1 / 6, 0.5),
    "Identity": np.asarray,
    "IsInf": np.isinf,
    "IsNaN": np.isnan,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": np.log,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Not": np.logical_not,
    "Or": np.logical_or,
    "PRelu": lambda x, slope: np.where(x > 0, x, slope * x),
    "Pow": np.power,
    "QuantizeLinear": np.asarray,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, 0),
    "Sigmoid": sigmoid,
    "Sign": np.sign,
    "Softplus": softplus,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Tanh": np.tanh,
    "Where": np.where,
}
"""Operators whose attributes do not matter here."""

QUANTIZED: dict[str, tuple[Operator, int]] = {
    "QLinearAdd": (np.add, 2), "QLinearMul": (np.multiply, 2), "QLinearSigmoid": (sigmoid, 1),
    "QLinearLeakyRelu": (np.asarray, 1),
}  # fmt: skip
"""Operators on integers, and how many operands they have, each with its scale and zero point."""

WITH_ATTRIBUTES = ("CastLike", "Clip", "Elu", "HardSigmoid", "LeakyRelu")

ANY_NUMBER = ("Max", "Min", "Sum")
"""Operators of any number of operands."""

BENT = frozenset(
    {"Abs", "Clip", "Elu", "Erf", "Exp", "HardSigmoid", "LeakyRelu", "Max", "Min", "PRelu",
     "QLinearAdd", "QLinearLeakyRelu", "QLinearSigmoid", "QuantizeLinear", "Relu", "Sigmoid",
     "Softplus", "Softsign", "Tanh", "Where"}
)  # fmt: skip
"""Operators without one of which no activation is made; a quantiser may cut negatives off."""

ENDS = frozenset(
    {"Add", "Clip", "Div", "Log", "Max", "Min", "Mul", "Neg", "QLinearAdd", "QLinearMul",
     "Reciprocal", "Sub", "Sum", "Where"}
)  # fmt: skip
"""Operators that an activation which was taken apart can end in."""

LARGEST = 40
"""Nodes of the largest piece that is computed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The arithmetic that makes one tensor of another: its function, and the nodes inside."""

    source: ir.Value
    curves: tuple[Curve, ...]
    inside: frozenset[ir.Node]


class Reach:
    """How far before each node the nearest bent operator stands, by way of arithmetic.

    Nodes are asked for in topological order; those before them that were not are no bar.
    """

    def __init__(self) -> None:
        self._steps: dict[ir.Node, int] = {}

    def is_near(self, node: ir.Node) -> bool:
        """Tell whether one may stand in the largest piece that ends in `node`."""
        steps = 0
        if node.op_type not in BENT:
            makers = [maker for one in _operands(node) if (maker := producer(one)) is not None]
            nearest = (self._steps.get(one, 0) for one in makers if _computable(one))
            steps = 1 + min(nearest, default=LARGEST)
        self._steps[node] = steps
        return steps <= LARGEST


def pieces(node: ir.Node, known: Known, reach: Reach) -> Iterator[Piece]:
    """Yield the pieces of arithmetic that end in `node`, the smallest ones first.

    `inside` holds all nodes but `node` itself.
    """
    if not _computable(node) or not reach.is_near(node) or node.op_type not in ENDS:
        return
    region = _before(node, known)
    if not any(one.op_type in BENT for one in region):
        return
    for source in _passed_by_all(node, region):
        sample = _Sample(source, region.keys(), known)
        y = sample.of(node.outputs[0])
        if y is None or sample.nodes == {node}:
            continue
        samples = [sample]
        if sample.several:
            samples.append(_Sample(source, region.keys(), known, last=True))
        curves = tuple(
            Curve(GRID, numbers.astype(np.float64) * np.ones_like(GRID), one.several)
            for one in samples
            if (numbers := one.of(node.outputs[0])) is not None
        )
        yield Piece(source, curves, frozenset(sample.nodes - {node}))


Region = Mapping[ir.Node, Sequence[ir.Value]]
"""Nodes, the last one first, each with what it reads but constants."""


def _before(node: ir.Node, known: Known) -> Region:
    """Return `node` and the arithmetic before it, the nearest nodes first."""
    region: dict[ir.Node, list[ir.Value]] = {}
    pending = [node]
    for one in pending:
        if one not in region:
            values = [value for value in _operands(one) if value is not None]
            region[one] = [value for value in values if not _is_constant(value, known)]
            makers = map(producer, region[one])
            found = [maker for maker in makers if maker is not None and _computable(maker)]
            pending += found if len(pending) < LARGEST else []
    return region


def _passed_by_all(node: ir.Node, region: Region) -> Iterator[ir.Value]:
    """Yield the tensors through which all ways lead from where the region begins to `node`.

    Those are the ones with as many ways before them, times those behind them, as there are at all.
    """
    readers: dict[ir.Value, list[ir.Node]] = {}
    for reader, values in region.items():
        for value in values:
            readers.setdefault(value, []).append(reader)
    before: dict[ir.Value, int] = {}
    behind: dict[ir.Value, int] = {}

    def ways_before(value: ir.Value) -> int:
        if value not in before:
            maker = producer(value)
            values = region.get(maker, ()) if maker is not None else ()
            before[value] = sum(map(ways_before, values)) or 1
        return before[value]

    def ways_behind(value: ir.Value) -> int:
        if value not in behind:
            behind[value] = sum(
                1 if reader is node else ways_behind(reader.outputs[0]) for reader in readers[value]
            )
        return behind[value]

    total = ways_before(node.outputs[0])
    for value in readers:
        if ways_before(value) * ways_behind(value) == total:
            yield value


def _computable(node: ir.Node) -> bool:
    if node.op_type in QUANTIZED:
        return node.domain == "com.microsoft"
    if not is_standard(node, node.op_type) or not node.inputs:
        return False
    return node.op_type in PLAIN or node.op_type in (*ANY_NUMBER, *WITH_ATTRIBUTES)


def _operands(node: ir.Node) -> tuple[ir.Value | None, ...]:
    """Return the inputs of `node` that are numbers, without scales, zero points and bounds."""
    if node.op_type in QUANTIZED:
        return tuple(given(node, 3 * place) for place in range(QUANTIZED[node.op_type][1]))
    single = ("Cast", "CastLike", "Clip", "DequantizeLinear", "Dropout", "QuantizeLinear")
    return tuple(node.inputs[:1] if node.op_type in single else node.inputs)


def _is_constant(value: ir.Value, known: Known) -> bool:
    """Tell whether the numbers of `value` are known, how many of them there may be."""
    return value.const_value is not None or known.is_known(value)


@dataclass(slots=True)
class _Sample:
    """What becomes of the numbers of the grid in place of `source`.

    Attributes:
        within: The nodes that may be computed.
        last: Of weights for each feature take the last one, not the first.
        nodes: What was computed.
        several: Whether there were such weights.
    """

    source: ir.Value
    within: Collection[ir.Node]
    known: Known
    last: bool = False
    nodes: set[ir.Node] = field(default_factory=set)
    several: bool = False
    found: dict[ir.Value, Numbers] = field(default_factory=dict)

    def of(self, value: ir.Value | None) -> Numbers:
        """Return the numbers of `value`, None where they do not depend on the source alone."""
        if value is self.source:
            return GRID
        if value is None:
            return None
        if value not in self.found:
            self.found[value] = None
            number = self._constant(value)
            self.found[value] = self._computed(value) if number is None else number
        return self.found[value]

    def _constant(self, value: ir.Value) -> Numbers:
        number = self.known.scalar(value)
        if number is not None:
            return np.float64(number)
        content = self.known(value)
        if content is None or content.dtype.kind not in "fiub" or content.size < 2:
            return None
        self.several = True
        return np.float64(content.flat[-1 if self.last else 0])

    def _computed(self, value: ir.Value) -> Numbers:
        node = producer(value)
        if node is None or node not in self.within:
            return None
        numbers = [self._operand(node, place) for place in range(len(_operands(node)))]
        if any(one is None for one in numbers):
            return None
        self.nodes.add(node)
        with np.errstate(all="ignore"):
            made = self._apply(node, numbers)
            return None if made is None else _as_quantized(node, made, self.known)

    def _operand(self, node: ir.Node, place: int) -> Numbers:
        value = _operands(node)[place]
        number = self.of(value)
        if node.op_type in QUANTIZED and value is not None and _is_constant(value, self.known):
            scale, zero = (self.known.scalar(given(node, 3 * place + i)) for i in (1, 2))
            return None if number is None or scale is None else (number - (zero or 0)) * scale
        return number

    def _apply(self, node: ir.Node, numbers: list[Numbers]) -> Numbers:
        op, attributes = node.op_type, node.attributes
        if op == "Clip":
            return self._clipped(node, numbers[0])
        if op == "HardSigmoid":
            alpha, beta = attributes.get_float("alpha", 0.2), attributes.get_float("beta", 0.5)
            return hard_sigmoid(np.asarray(numbers[0]), alpha, beta)
        if op in ("LeakyRelu", "QLinearLeakyRelu"):
            x, alpha = np.asarray(numbers[0]), attributes.get_float("alpha", 0.01)
            return np.where(x > 0, x, alpha * x)
        if op == "Elu":
            return elu(np.asarray(numbers[0]), attributes.get_float("alpha", 1.0))
        if op == "CastLike":
            return np.asarray(numbers[0], np.float64)
        if op in ANY_NUMBER:
            join = {"Max": np.maximum, "Min": np.minimum, "Sum": np.add}[op]
            return np.asarray(join.reduce(np.broadcast_arrays(*numbers)))
        function = PLAIN[op] if op in PLAIN else QUANTIZED[op][0]
        try:
            return np.asarray(function(*numbers))
        except (TypeError, ValueError):  # too many operands, or too few
            return None

    def _clipped(self, node: ir.Node, x: Numbers) -> Numbers:
        bounds = []
        for name, place, none in (("min", 1, -math.inf), ("max", 2, math.inf)):
            bound = node.attributes.get_float(name, None)
            value = given(node, place)
            if bound is None and value is not None:
                bound = self.known.scalar(value)
                if bound is None:
                    return None
            bounds.append(none if bound is None else bound)
        return np.clip(x, bounds[0], bounds[1])


def _as_quantized(node: ir.Node, numbers: Numbers, known: Known) -> Numbers:
    """Return numbers as a quantiser leaves them that holds none below zero.

    Those above what it was calibrated for are not known: nothing as large was seen.
    """
    if node.op_type not in RESULT:
        return numbers
    scale_at, zero_at = RESULT[node.op_type]
    scale, zero = known.scalar(given(node, scale_at)), given(node, zero_at)
    if scale is None or not (zero is None or zero_is_smallest(zero, known)):
        return numbers
    content = known(zero)
    kind = content.dtype if content is not None else np.dtype(np.uint8)
    largest = scale * (np.iinfo(kind).max - np.iinfo(kind).min)
    return np.where(numbers > largest * 1.001, np.nan, np.maximum(numbers, 0))
