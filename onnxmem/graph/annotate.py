"""Asks onnx for the types and sizes of all tensors, at the cost of a look at each node.

onnx_ir has a pass for this, which writes out and reads in the whole model, and whose time grows
with the square of the number of weights. Here onnx gets what inference looks at and nothing else:
operators, attributes, names, what is known of tensors, and the content of small weights.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
import onnx.shape_inference
import onnx_ir as ir

LARGEST = 1000
"""Bytes of the largest weight whose content inference gets: a list of sizes, a bound."""

_Shapes = dict[tuple[int | str | None, ...], ir.Shape]


def annotate(network: ir.Model, *, follow: bool) -> bool:
    """Fill in the types and shapes that onnx infers; tell whether there were any.

    Args:
        network: The model, functions inlined.
        follow: Whether onnx follows what small tensors hold.
    """
    proto = onnx.ModelProto(ir_version=network.ir_version)
    for domain, version in network.opset_imports.items():
        proto.opset_import.add(domain=domain, version=version)
    _describe(proto.graph, network.graph)
    try:
        inferred = onnx.shape_inference.infer_shapes(
            proto, check_type=False, strict_mode=False, data_prop=follow
        )
    except Exception:  # noqa: BLE001 - whatever stops onnx, the model is as it was
        return False
    return _take(inferred.graph, network.graph, {})


def _describe(proto: onnx.GraphProto, graph: ir.Graph) -> None:
    proto.name = graph.name or "graph"
    for value in graph.inputs:
        _describe_value(proto.input.add(), value)
    given = {value.name for value in graph.inputs}
    for value in graph.initializers.values():
        _describe_weight(proto, value, given)
    for node in graph:
        _describe_node(proto.node.add(), node)
        for value in node.outputs:
            if value.type is not None and value.name and not value.is_graph_output():
                _describe_value(proto.value_info.add(), value)
    for value in graph.outputs:
        _describe_value(proto.output.add(), value)


def _describe_weight(proto: onnx.GraphProto, value: ir.Value, given: set[str | None]) -> None:
    """Add a weight as an input, and its content where that is small."""
    content = value.const_value
    if content is not None:
        if value.shape is None:
            value.shape = ir.Shape(content.shape)  # type: ignore[arg-type]
        if value.dtype is None:
            value.dtype = content.dtype
    if value.name not in given:
        _describe_value(proto.input.add(), value)
    if content is not None and content.nbytes <= LARGEST:
        content.name = value.name
        ir.serde.serialize_tensor_into(proto.initializer.add(), content)


def _describe_node(proto: onnx.NodeProto, node: ir.Node) -> None:
    proto.op_type = node.op_type
    if node.domain:
        proto.domain = node.domain
    if node.overload:
        proto.overload = node.overload
    proto.input.extend(["" if value is None else value.name or "" for value in node.inputs])
    proto.output.extend([value.name or "" for value in node.outputs])
    for attribute in node.attributes.values():
        added = proto.attribute.add()
        if attribute.is_ref():
            ir.serde.serialize_reference_attribute_into(added, attribute)
        elif attribute.type == ir.AttributeType.GRAPH:
            added.name, added.type = attribute.name, onnx.AttributeProto.GRAPH
            _describe(added.g, attribute.as_graph())
        elif attribute.type == ir.AttributeType.GRAPHS:
            added.name, added.type = attribute.name, onnx.AttributeProto.GRAPHS
            for body in attribute.as_graphs():
                _describe(added.graphs.add(), body)
        else:
            ir.serde.serialize_attribute_into(added, attribute)


def _describe_value(proto: onnx.ValueInfoProto, value: ir.Value) -> None:
    if type(value.type) is not ir.TensorType:
        ir.serde.serialize_value_into(proto, value)
        return
    proto.name = value.name or ""
    kind = proto.type.tensor_type
    kind.elem_type = value.type.dtype.value
    if value.shape is None:
        return
    kind.shape.SetInParent()
    for size in value.shape:
        dim = kind.shape.dim.add()
        if isinstance(size, int):
            dim.dim_value = size
        elif size.value is not None:
            dim.dim_param = size.value


def _take(proto: onnx.GraphProto, graph: ir.Graph, shapes: _Shapes) -> bool:
    """Take over what was inferred of the tensors of a graph, and of those in its bodies."""
    made = {value.name: value for node in graph for value in node.outputs if value.name}
    found = False
    for info in (*proto.value_info, *proto.output):
        value = made.get(info.name)
        if value is not None:
            found |= _take_value(info, value, shapes)
    for node, described in zip(graph, proto.node, strict=True):
        bodies = list(_bodies(node))
        if bodies:
            for body, inner in zip(bodies, _described_bodies(described), strict=True):
                found |= _take(inner, body, shapes)
    return found


def _take_value(info: onnx.ValueInfoProto, value: ir.Value, shapes: _Shapes) -> bool:
    if not info.type.HasField("tensor_type"):
        return _take_other(info, value)
    kind, found = info.type.tensor_type, False
    if kind.HasField("shape"):
        shape = _shape(kind.shape, shapes)
        if value.shape != shape:
            value.shape, found = shape, True
    dtype = ir.DataType(kind.elem_type)
    if value.dtype != dtype:
        value.dtype, found = dtype, True
    return found


def _take_other(info: onnx.ValueInfoProto, value: ir.Value) -> bool:
    """Take over what was inferred of a sequence, an optional value, or nothing."""
    other, found = ir.serde.deserialize_value_info_proto(info, None), False
    if other.shape is not None and value.shape != other.shape:
        value.shape, found = other.shape, True
    if other.dtype is not None and value.dtype != other.dtype:
        value.dtype, found = other.dtype, True
    return found


def _shape(proto: onnx.TensorShapeProto, shapes: _Shapes) -> ir.Shape:
    """Return a shape, the same object for the same sizes: it cannot be changed."""
    sizes: tuple[int | str | None, ...] = tuple(
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in proto.dim
    )
    if sizes not in shapes:
        shapes[sizes] = ir.Shape(sizes, frozen=True)
    return shapes[sizes]


def _bodies(node: ir.Node) -> Iterable[ir.Graph]:
    for attribute in node.attributes.values():
        if not attribute.is_ref() and attribute.type == ir.AttributeType.GRAPH:
            yield attribute.as_graph()
        elif not attribute.is_ref() and attribute.type == ir.AttributeType.GRAPHS:
            yield from attribute.as_graphs()


def _described_bodies(node: onnx.NodeProto) -> Iterable[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == onnx.AttributeProto.GRAPHS:
            yield from attribute.graphs
