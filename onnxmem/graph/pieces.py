"""The serialised nodes, types and weights of one graph, each made once and used by every part."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
import onnx_ir as ir

SMALL = 1024
"""Bytes below which a weight is remembered in its serialised form."""


class Pieces:
    """Makes protos of what a graph consists of, and remembers them.

    The graph must not change as long as this lives.
    """

    def __init__(self) -> None:
        self._small: dict[ir.Value, onnx.TensorProto] = {}
        self._nodes: dict[ir.Node, onnx.NodeProto] = {}
        self._types: dict[ir.Value, onnx.ValueInfoProto] = {}

    def node(self, node: ir.Node) -> onnx.NodeProto:
        """Return `node` without the sizes that its bodies may note."""
        if node not in self._nodes:
            proto = ir.serde.serialize_node(node)
            _forget_shapes(proto)
            self._nodes[node] = proto
        return self._nodes[node]

    def element_type(self, value: ir.Value) -> onnx.ValueInfoProto:
        """Return the name and type of `value` without its shape."""
        if value not in self._types:
            info = ir.serde.serialize_value(value)
            if info.type.HasField("tensor_type"):
                info.type.tensor_type.ClearField("shape")
            self._types[value] = info
        return self._types[value]

    def tensor(self, value: ir.Value, content: ir.TensorProtocol) -> onnx.TensorProto:
        """Return the initializer `value`; only small ones are remembered."""
        if value in self._small:
            return self._small[value]
        content.name = value.name
        proto = ir.serde.serialize_tensor(content)
        if isinstance(content, ir.ExternalTensor) or proto.ByteSize() < SMALL:
            self._small[value] = proto
        return proto

    def graph(
        self,
        name: str,
        nodes: Iterable[ir.Node],
        initializers: Iterable[ir.Value],
        ends: tuple[Iterable[onnx.ValueInfoProto], Iterable[onnx.ValueInfoProto]],
    ) -> onnx.GraphProto:
        """Assemble a graph; `ends` are its inputs and its outputs."""
        graph = onnx.GraphProto(name=name)
        graph.input.extend(ends[0])
        graph.output.extend(ends[1])
        outputs = {info.name for info in graph.output}
        for node in nodes:
            graph.node.append(self.node(node))
            for value in node.outputs:
                if value.name and value.type is not None and value.name not in outputs:
                    graph.value_info.append(self.element_type(value))
        for value in sorted(initializers, key=lambda value: value.name or ""):
            if value.const_value is not None:
                graph.initializer.append(self.tensor(value, value.const_value))
        return graph


LISTING = frozenset(
    {"Add", "Cast", "Concat", "Div", "Floor", "Gather", "Identity", "Mul", "Slice", "Squeeze",
     "Sub", "Unsqueeze"}
)  # fmt: skip
"""Operators that make lists of sizes out of others."""


def lists_sizes(value: ir.Value) -> bool:
    """Tell whether `value` is a list of sizes of tensors: its own length is no number of samples.

    onnxruntime infers nothing from a list whose length it does not know, and refuses what reads it.
    """
    pending, seen = [value], set[ir.Value]()
    while pending:
        item = pending.pop()
        node = item.producer()
        if item in seen or item.const_value is not None:
            continue
        seen.add(item)
        if node is None or node.op_type not in LISTING | {"Shape"}:
            return False
        if node.op_type != "Shape":
            pending += [source for source in node.inputs if source is not None]
    return value.const_value is None


def rank_only(value: ir.Value) -> onnx.ValueInfoProto:
    """Return the name, element type and rank of `value`, of a list of sizes its length as well."""
    info = ir.serde.serialize_value(value)
    if info.type.HasField("tensor_type") and not lists_sizes(value):
        for dim in info.type.tensor_type.shape.dim:
            dim.Clear()
    return info


def _forget_shapes(node: onnx.NodeProto) -> None:
    for attribute in node.attribute:
        for body in (
            *attribute.graphs,
            *([attribute.g] if attribute.HasField("g") else []),
        ):
            for info in body.value_info:
                if info.type.HasField("tensor_type"):
                    info.type.tensor_type.ClearField("shape")
            for inner in body.node:
                _forget_shapes(inner)
