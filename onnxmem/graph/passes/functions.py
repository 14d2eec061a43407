"""Inline the functions of a model, also those written for another opset than the model."""

from __future__ import annotations

import onnx
import onnx.inliner
import onnx.shape_inference
import onnx_ir as ir
from onnx_ir.passes import common

DEFAULT = ("", "ai.onnx")
"""The two names of the default operator domain."""


def inline_functions(proto: onnx.ModelProto) -> ir.Model:
    """Return the network in `proto` with every model-local function inlined.

    Exporters give each function its own opset versions. Where the operators that a function
    uses mean the same in the model's version, the version is just aligned; where they do not,
    onnx converts them.
    """
    if not proto.functions:
        return ir.from_proto(proto)
    if any(not _same_meaning(proto, function) for function in proto.functions):
        _declare_initializers(proto)
        proto = onnx.shape_inference.infer_shapes(proto)
        proto = onnx.inliner.inline_local_functions(proto, convert_version=True)
    network = ir.from_proto(proto)
    for function in network.functions.values():
        for domain in function.opset_imports:
            version = network.opset_imports.setdefault(domain, function.opset_imports[domain])
            function.opset_imports[domain] = version
    inline = ir.passes.Sequential(common.InlinePass(), common.RemoveUnusedOpsetsPass())
    return inline(network).model


def _declare_initializers(proto: onnx.ModelProto) -> None:
    """State the types of the initializers, which the conversion asks for."""
    graph = proto.graph
    declared = {info.name for info in (*graph.input, *graph.value_info)}
    graph.value_info.extend(
        onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in graph.initializer
        if tensor.name not in declared
    )


def _same_meaning(proto: onnx.ModelProto, function: onnx.FunctionProto) -> bool:
    """Tell whether the default operators of `function` are the same in the model's opset."""
    inside, outside = (
        _default_opset(function.opset_import),
        _default_opset(proto.opset_import),
    )
    if inside == outside or not inside or not outside:
        return True
    return all(
        _since(node.op_type, inside) == _since(node.op_type, outside)
        for node in function.node
        if node.domain in DEFAULT
    )


def _default_opset(imports: object) -> int:
    return next((opset.version for opset in imports if opset.domain in DEFAULT), 0)  # type: ignore[attr-defined]


def _since(op: str, version: int) -> int | None:
    try:
        return int(onnx.defs.get_schema(op, version).since_version)
    except onnx.defs.SchemaError:
        return None
