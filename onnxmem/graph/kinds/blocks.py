"""The outputs of blocks: residual additions and normalisations.

They serve networks whose features are not behind an activation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

import onnx_ir as ir

from onnxmem.graph.flow import Flow
from onnxmem.graph.kinds.kind import Kind, Match
from onnxmem.graph.ops import LEARNED, is_standard, is_weight, producer

BLOCK = Kind("block", "block", "Add", signed=True, of_units=False)

NORMS = frozenset(
    {"BatchNormalization", "EmbedLayerNormalization", "GroupNorm", "GroupNormalization",
     "InstanceNormalization", "LayerNormalization", "LpNormalization",
     "MeanVarianceNormalization", "RMSNormalization", "SimplifiedLayerNormalization",
     "SkipGroupNorm", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"}
)  # fmt: skip
"""Operators that normalise."""

WRAPPERS = ("Cast", "DequantizeLinear", "Identity", "QuantizeLinear", "Reshape", "Transpose")
SCALERS = ("Add", "Mul", "Sub")
SHAPES = frozenset({"ConstantOfShape", "Shape", "Size"})
FARTHEST = 24


def blocks(flow: Flow, activations: Collection[ir.Node]) -> Iterator[tuple[ir.Node, Match]]:
    """Yield the residual additions and the normalisations of a graph, each with its node.

    Args:
        flow: Of the graph.
        activations: The nodes of its activations: what is normalised for one of them alone is no
            output of a block.
    """
    for node in _residual(flow):
        yield node, Match(node.outputs[0], node.op_type, None)
    for node in flow.nodes:
        written_out = node.op_type not in NORMS
        if node.outputs and node.outputs[0] in flow.varying and not (
            written_out and not _normalises(node)
        ):  # fmt: skip
            end = _scaled(node)
            if not _serves_only(end, activations):
                op = "LayerNormalization" if written_out else node.op_type
                yield end.producer() or node, Match(end, op, None)


def _residual(flow: Flow) -> Iterator[ir.Node]:
    """Yield the additions of two tensors that come of one, at least one of them by way of weights.

    What a tensor depends on is carried along as a bit mask of nodes, as long as it is read.
    """
    left = Counter(value for node in flow.nodes for value in flow.reads[node])
    count = len(flow.nodes)
    inputs = [value for value in flow.graph.inputs if _is_float(value)]
    before = {value: 1 << count + at for at, value in enumerate(inputs)}
    learned, floats = 0, sum(before.values())
    for place, node in enumerate(flow.nodes):
        mask = 1 << place
        learned |= mask if node.op_type in LEARNED else 0
        floats |= mask if node.op_type not in SHAPES and all(map(_is_float, node.outputs)) else 0
        if _adds_two(node, flow):
            one, other = (before.get(value, 0) for value in node.inputs if value is not None)
            if one & other & floats and (one ^ other) & learned:
                yield node
        for value in flow.reads[node]:
            mask |= before.get(value, 0) if node.op_type not in SHAPES else 0
            left[value] -= 1
            if not left[value]:
                before.pop(value, None)
        before.update(dict.fromkeys((value for value in node.outputs if left[value]), mask))


def _adds_two(node: ir.Node, flow: Flow) -> bool:
    if not is_standard(node, "Add", "Sum") or len(node.inputs) != 2:
        return False
    return all(value in flow.varying for value in node.inputs) and _is_float(node.outputs[0])


def _is_float(value: ir.Value) -> bool:
    """Tell whether `value` may hold floating-point numbers."""
    unknown = value.dtype is None or value.dtype == ir.DataType.UNDEFINED
    return unknown or bool(value.dtype and value.dtype.is_floating_point())


def _normalises(node: ir.Node) -> bool:
    """Tell whether `node` divides a tensor by the root of a mean of its squares."""
    if is_standard(node, "Div"):
        pairs = [(node.inputs[0], node.inputs[1])]
    elif is_standard(node, "Mul") and len(node.inputs) == 2:
        pairs = [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])]
    else:
        return False
    return any(_is_spread(spread, tensor) for tensor, spread in pairs)


def _is_spread(value: ir.Value | None, tensor: ir.Value | None) -> bool:
    """Tell whether `value` is a root, or the inverse of one, of means of squares of `tensor`."""
    origins, ops = {tensor}, set[str]()
    centred = producer(tensor)
    while is_standard(centred, "Neg", "Reshape") and centred is not None:
        centred = producer(centred.inputs[0])
    if is_standard(centred, "ReduceMean"):
        return False
    if is_standard(centred, "Sub") and centred is not None:
        origins.add(centred.inputs[0])
    met = False
    pending, seen = [value], set[ir.Value]()
    while pending and len(seen) < FARTHEST:
        one = pending.pop()
        if one is None or one in seen:
            continue
        seen.add(one)
        if one in origins:
            met = True
            continue
        node = producer(one)
        if node is not None:
            ops.add(node.op_type)
            pending += node.inputs
    return met and "ReduceMean" in ops and not ops.isdisjoint({"Sqrt", "Pow"}) and value not in (
        origins
    )  # fmt: skip


def _scaled(node: ir.Node) -> ir.Value:
    """Return the output of a normalisation after its scale and its shift."""
    end = value = node.outputs[0]
    for _ in range(FARTHEST):
        readers = value.consumers()
        if len(readers) != 1 or value.is_graph_output():
            return end
        (reader,) = readers
        if is_standard(reader, *SCALERS) and _other_is_weight(reader, value, node):
            end = value = reader.outputs[0]
        elif is_standard(reader, *WRAPPERS):
            value = reader.outputs[0]
        else:
            return end
    return end


def _other_is_weight(reader: ir.Node, value: ir.Value, norm: ir.Node) -> bool:
    """Tell whether what is added or multiplied is a weight, or comes of the spread as well."""
    others = [one for one in reader.inputs if one is not value]
    if len(others) != 1 or others[0] is None:
        return False
    (other,) = others
    made_by = producer(other)
    if made_by is None or is_standard(made_by, "DequantizeLinear", "Unsqueeze", "Reshape"):
        return made_by is None or made_by.inputs[0] is None or producer(made_by.inputs[0]) is None
    factors = (producer(one) for one in made_by.inputs)
    shared = (one for factor in factors if factor is not None for one in factor.inputs)
    return any(one in norm.inputs for one in shared if one is not None and not is_weight(one))


def _serves_only(value: ir.Value, activations: Collection[ir.Node]) -> bool:
    """Tell whether nothing but activations reads `value`."""
    readers = value.consumers()
    if not readers or value.is_graph_output():
        return False
    return all(
        reader in activations
        or (is_standard(reader, *WRAPPERS) and _serves_only(reader.outputs[0], activations))
        for reader in readers
    )
