"""Make quantised activations visible as float tensors, ReLUs that were folded away among them."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.flow import Flow
from onnxmem.graph.kinds.finding import activations, has_relu
from onnxmem.graph.quantized import RESULT, folds_relu

DEQUANTIZED = "_dequantized"

WIDER_FROM = 21
"""The opset from which on the standard quantises to more types than those of 8 bits."""


class DequantizeActivations(ir.passes.InPlacePass):
    """Pass every quantised tensor that folds a ReLU through float once.

    Where there is no ReLU but for scores that were never negative, do so with the results of other
    activations.

    Requires: constants are initializers. Ensures: such a tensor q is read by one node only,
    DequantizeLinear, whose result (named q + "_dequantized") is quantised again, with the same
    scale and zero point, for all who read q before. Both steps together change nothing: the
    quotient of k·scale by scale rounds to k.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Insert the pairs."""
        known, flow = Known(model), Flow(model.graph)
        folding = [
            node
            for node in flow.nodes
            if node.outputs[0] in flow.varying and folds_relu(node, known)
        ]
        others = _other_activations(flow, known)
        folding += [node for node in others if node not in folding]
        for node in folding:
            _insert_pair(model, node)
        return ir.passes.PassResult(model, modified=bool(folding))


def _other_activations(flow: Flow, known: Known) -> list[ir.Node]:
    """Return the nodes with the quantised results of activations, none where there is a ReLU."""
    if not any(map(_is_quantized, flow.nodes)) or has_relu(flow.nodes, known):
        return []
    ends = (one.match.value.producer() for one in activations(flow.nodes, known))
    return [node for node in ends if node is not None and _is_quantized(node)]


def _is_quantized(node: ir.Node) -> bool:
    return node.op_type in RESULT and node.op_type != "QuantizeLinear"


def _insert_pair(model: ir.Model, node: ir.Node) -> None:
    quantized = node.outputs[0]
    readers = quantized.uses()
    if not readers:
        return
    parameters: Sequence[ir.Value | None] = [
        node.inputs[at] if at < len(node.inputs) else None for at in RESULT[node.op_type]
    ]
    name = f"{quantized.name}{DEQUANTIZED}"
    domain = _domain(model, node, parameters[1])
    down = ir.Node(domain, "DequantizeLinear", [quantized, *parameters])
    up = ir.Node(domain, "QuantizeLinear", [down.outputs[0], *parameters])
    down.outputs[0].name, up.outputs[0].name = name, f"{name}_again"
    scale = parameters[0]
    down.outputs[0].type = scale.type if scale is not None else None
    down.outputs[0].shape, up.outputs[0].shape = quantized.shape, quantized.shape
    up.outputs[0].type = quantized.type
    for reader, at in readers:
        reader.replace_input_with(at, up.outputs[0])
    model.graph.insert_after(node, [down, up])


def _domain(model: ir.Model, node: ir.Node, zero: ir.Value | None) -> str:
    """Return whose quantiser takes the type of `zero`: the standard's, or onnxruntime's own."""
    narrow = zero is None or zero.dtype in (ir.DataType.UINT8, ir.DataType.INT8)
    is_new = model.opset_imports.get("", 0) >= WIDER_FROM
    return "" if narrow or is_new else node.domain
