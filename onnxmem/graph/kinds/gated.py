"""Gated units: the product of a branch and the activation of another (GLU, SwiGLU, GEGLU).

Source: Dauphin et al. 2017 (arXiv:1612.08083), Shazeer 2020 (arXiv:2002.05202).

Both branches are parts, or linear images, of one tensor. That tells a gated unit from a gate on
features that are there without it, as in squeeze and excitation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import onnx_ir as ir

from onnxmem.graph.kinds.kind import Kind, Match, contributed
from onnxmem.graph.ops import LEARNED, given, is_standard, is_weight, producer

GLU = Kind("glu", "gated unit", "Glu", signed=True, patterns=(contributed("BiasSplitGelu"),))

SAME_NUMBERS = frozenset(
    {"Cast", "DequantizeLinear", "Dropout", "DynamicQuantizeLinear", "Expand", "Flatten",
     "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
)  # fmt: skip
"""Operators that give the numbers of their first input, in another form."""

PARTING = frozenset({"Gather", "GatherND", "Slice", "Split"})
"""Operators that give some of the numbers of their first input."""

LINEAR = frozenset({"Add", "BatchNormalization", "Div", "Mul", "QLinearAdd", "Sub"})
"""Operators that are linear where all inputs but one are weights."""

FARTHEST = 40


@dataclass(frozen=True, slots=True)
class Product:
    """A gated unit, the node that it ends in, and the outputs of the activations that it is of."""

    match: Match
    node: ir.Node
    factors: frozenset[ir.Value]


def products(
    nodes: Collection[ir.Node], sources: Mapping[ir.Value, ir.Value | None]
) -> Iterator[Product]:
    """Yield the gated units among `nodes`.

    Args:
        nodes: Of a graph.
        sources: The output of each activation, with its input (None where it has none of its own).
    """
    for node in nodes:
        for branch, gate in _factors(node):
            inner = _same_numbers(gate, sources)
            if inner is None or branch is None:
                continue
            other = _same_numbers(branch, sources)
            source = sources[inner] or inner
            linear = branch if other is None else sources[other] or other
            if source is not linear and _part_ways(source, linear):
                factors = frozenset(one for one in (inner, other) if one is not None)
                yield Product(Match(node.outputs[0], GLU.op, None), node, factors)
                break


def _factors(node: ir.Node) -> tuple[tuple[ir.Value | None, ir.Value | None], ...]:
    if is_standard(node, "Mul") and len(node.inputs) == 2:
        left, right = node.inputs
    elif node.op_type == "QLinearMul":
        left, right = given(node, 0), given(node, 3)
    else:
        return ()
    return (left, right), (right, left)


def _same_numbers(
    value: ir.Value | None, sources: Mapping[ir.Value, ir.Value | None]
) -> ir.Value | None:
    """Return the activation whose numbers `value` holds, None where it holds others."""
    for _ in range(FARTHEST):
        if value is None or value in sources:
            return value
        node = producer(value)
        if node is None or node.op_type not in SAME_NUMBERS:
            return None
        value = node.inputs[0]
    return None


def _part_ways(left: ir.Value, right: ir.Value) -> bool:
    """Tell whether both are parts or linear images of one tensor, neither of the other."""
    ways = dict(_linear_origins(left))
    return any(parted and ways.get(value) for value, parted in _linear_origins(right))


def _linear_origins(value: ir.Value | None) -> Iterator[tuple[ir.Value, bool]]:
    """Yield what `value` is a linear image of, and whether weights or a part came between.

    Walks past weights once.
    """
    learned = parted = False
    for _ in range(FARTHEST):
        if value is None:
            return
        yield value, parted or learned
        node = producer(value)
        if node is None:
            return
        if node.op_type in LEARNED:
            if learned:
                return
            learned, value = True, _data(node)
        elif node.op_type in PARTING:
            parted, value = True, node.inputs[0]
        elif node.op_type in SAME_NUMBERS:
            value = node.inputs[0]
        elif node.op_type in LINEAR:
            value = _only_data(node)
        else:
            return


def _data(node: ir.Node) -> ir.Value | None:
    """Return what weights are multiplied with, which stands behind them in W x."""
    places = (0, 3) if node.op_type == "QLinearMatMul" else (0, 1)
    return next((one for at in places if (one := given(node, at)) and not is_weight(one)), None)


def _only_data(node: ir.Node) -> ir.Value | None:
    """Return the only input that is neither a weight nor a scale."""
    if node.op_type == "BatchNormalization":
        return node.inputs[0]
    inputs = (given(node, 0), given(node, 3)) if node.op_type == "QLinearAdd" else node.inputs
    left = [one for one in inputs if not (is_weight(one) or _is_scale(one))]
    return left[0] if len(left) == 1 else None


def _is_scale(value: ir.Value | None) -> bool:
    """Tell whether `value` is the scale of a batch that was quantised, times that of weights."""
    node = producer(value)
    while is_standard(node, "Mul") and node is not None and is_weight(node.inputs[1]):
        node = producer(value := node.inputs[0])
    return is_standard(node, "DynamicQuantizeLinear") and node is not None and (
        value is not node.outputs[0]
    )  # fmt: skip
