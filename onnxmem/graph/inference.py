"""Types and sizes of tensors, as far as ONNX infers them, at a bounded cost.

onnx follows what small tensors hold, so that `Reshape(x, Concat(Shape(y), ...))` gets a size. For
that it makes an object for each element of any tensor of one axis that a few operators read, be it
data: `x` of a billion numbers in `Cast(x)` fills the memory. So inference first runs without that;
then with it, where something is to be followed, while every node that might read a long tensor
stands aside.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import onnx_ir as ir

from onnxmem.graph import passes
from onnxmem.graph.annotate import annotate
from onnxmem.graph.constants import SMALL
from onnxmem.graph.ops import is_standard

FOLLOWED = frozenset(
    {"Add", "Cast", "Concat", "Gather", "Mul", "Size", "Slice", "Squeeze", "Sub", "Unsqueeze"}
)
"""Operators through which onnx follows numbers. Source: `PartialDataPropagationFunction` in its
schemas; `Shape` is another one, which reads no elements."""

ASIDE = "onnxmem.aside"
"""The domain of nodes that inference passes over."""

SAME_SIZE = dict.fromkeys(("Add", "Mul", "Sub"), "Div")
"""Operators, and one of the same types and sizes through which no numbers are followed."""

MOST_ROUNDS = 8
"""How often nodes that stood aside are looked at again, once more sizes are known."""


def infer_types(network: ir.Model) -> None:
    """Fill in types and shapes where ONNX can infer them; leave the rest alone.

    Initializers take no part but for the small ones, so this is cheap for a model of any size.
    """
    with _texts_aside(network.graph):
        stated = _shapes(network)
        annotate(network, follow=False)
        for _ in range(MOST_ROUNDS):
            long, worthwhile = _readers_of_long(network)
            if not worthwhile:
                break
            with _aside(network, long) as left_out:
                _open_again(stated, left_out)
                found_more = annotate(network, follow=True)
            if not (long and found_more):
                break
    passes.TypeSequences()(network)


def _shapes(network: ir.Model) -> dict[ir.Value, ir.Shape | None]:
    """Return the shape that each result has so far."""
    return {value: value.shape for node in network.graph.all_nodes() for value in node.outputs}


def _open_again(stated: Mapping[ir.Value, ir.Shape | None], but: Collection[ir.Node]) -> None:
    """Forget sizes that were found to be open: onnx would not look for them a second time.

    Those of the nodes `but` stay, which inference will pass over.
    """
    for value, shape in stated.items():
        if value.producer() not in but and value.shape is not None and not value.shape.is_static():
            value.shape = shape


def _readers_of_long(network: ir.Model) -> tuple[list[ir.Node], bool]:
    """Return the nodes that may read a long tensor, and whether there are numbers to follow."""
    held: dict[ir.Value, float] = {}
    readers, worthwhile = [], False
    for node in network.graph.all_nodes():
        if is_standard(node, "Shape"):
            worthwhile = True
            held[node.outputs[0]] = _rank(node.inputs[0])
        elif is_standard(node, *FOLLOWED):
            known = [_elements(value, held) for value in node.inputs if value is not None]
            count = sum(known) if node.op_type == "Concat" else max(known, default=0)
            if count > SMALL:
                readers.append(node)
            else:
                worthwhile |= any(not _is_float(value) for value in node.outputs)
                held.update(dict.fromkeys(node.outputs, count))
    return readers, worthwhile


def _elements(value: ir.Value, held: dict[ir.Value, float]) -> float:
    """Return how many objects onnx may make of `value` at most."""
    sizes = value.const_value.shape if value.const_value is not None else value.shape
    if sizes is None:
        return held.get(value, math.inf)
    if len(sizes) != 1:
        return 1
    return sizes[0] if isinstance(sizes[0], int) else held.get(value, math.inf)


def _rank(value: ir.Value | None) -> int:
    return 0 if value is None or value.shape is None else len(value.shape)


def _is_float(value: ir.Value) -> bool:
    return value.dtype is not None and bool(value.dtype.is_floating_point())


@contextmanager
def _aside(network: ir.Model, nodes: Sequence[ir.Node]) -> Iterator[set[ir.Node]]:
    """Let nodes follow no numbers for a while, with sizes where another operator has them."""
    before = [(node, node.op_type, node.domain) for node in nodes]
    for node in nodes:
        target = node.attributes.get("to")
        if node.op_type in SAME_SIZE:
            node.op_type = SAME_SIZE[node.op_type]
        elif node.op_type == "Cast" and target is not None and target.type == ir.AttributeType.INT:
            node.op_type = "RandomUniformLike"
            node.attributes["dtype"] = ir.AttrInt64("dtype", target.as_int())
        else:
            node.domain = ASIDE
    network.opset_imports[ASIDE] = 1
    try:
        yield {node for node in nodes if node.domain == ASIDE}
    finally:
        del network.opset_imports[ASIDE]
        for node, op_type, domain in before:
            if node.op_type == "RandomUniformLike":
                del node.attributes["dtype"]
            node.op_type, node.domain = op_type, domain


@contextmanager
def _texts_aside(graph: ir.Graph) -> Iterator[None]:
    """Take initializers of text out for a while: onnx_ir's inference cannot tell their size."""
    texts = {
        value: value.const_value
        for value in graph.initializers.values()
        if value.const_value is not None and value.const_value.dtype == ir.DataType.STRING
    }
    for value in texts:
        graph.initializers.pop(value.name or "")
        value.const_value = None
    try:
        yield
    finally:
        for value, content in texts.items():
            value.const_value = content
            graph.register_initializer(value)
