"""Tell sequences and optionals from tensors, for which shape inference as it is used takes them."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.graph.flow import subgraphs
from onnxmem.graph.ops import is_standard

MAKES = ("SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceMap",
         "SplitToSequence")  # fmt: skip
WRAPS = "Optional"
HANDS_ON = ("Identity", "If", "Loop")

Holder = type[ir.SequenceType] | type[ir.OptionalType]


class TypeSequences(ir.passes.InPlacePass):
    """Give the type of a sequence, or of an optional, to what holds one.

    Requires: nodes are sorted. Ensures: no output of an operator that makes a sequence or an
    optional, or hands one on, has the type of a tensor.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Mend the types."""
        mended = 0
        for graph in reversed(list(model.graphs())):
            for node in graph:
                for value, holder in _holders(node):
                    if isinstance(value.type, ir.TensorType):
                        value.type, value.shape = holder(value.type), None
                        mended += 1
        return ir.passes.PassResult(model, modified=bool(mended))


def _holders(node: ir.Node) -> list[tuple[ir.Value, Holder]]:
    """Return the outputs of `node` that are no tensors, and what they are."""
    if is_standard(node, *MAKES):
        return [(value, ir.SequenceType) for value in node.outputs]
    if is_standard(node, WRAPS):
        return [(value, ir.OptionalType) for value in node.outputs]
    if not is_standard(node, *HANDS_ON):
        return []
    if node.op_type == "Identity":
        pairs = [(node.inputs[0], node.outputs[0])]
    else:
        # The first output of the body of a Loop is its condition.
        first = int(node.op_type == "Loop")
        pairs = [
            pair
            for body in subgraphs(node)
            for pair in zip(body.outputs[first:], node.outputs, strict=False)
        ]
    return [
        (made, type(held.type))
        for held, made in pairs
        if held and isinstance(held.type, (ir.SequenceType, ir.OptionalType))
    ]
