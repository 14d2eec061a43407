"""Switch what was exported in training mode to inference."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.graph.constants import Known


class InferenceMode(ir.passes.InPlacePass):
    """Make Dropout and BatchNormalization deterministic and independent of the batch.

    Requires: constants are initializers. Ensures: no Dropout drops anything, and a
    BatchNormalization uses its stored statistics, unless its new statistics are read.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Switch."""
        known = Known(model)
        count = sum(
            _switch(node, known, model.graph)
            for node in list(model.graph.all_nodes())
            if node.domain in ("", "ai.onnx")
        )
        return ir.passes.PassResult(model, modified=bool(count))


def _switch(node: ir.Node, known: Known, graph: ir.Graph) -> bool:
    if node.op_type == "Dropout" and len(node.inputs) > 2 and node.inputs[2] is not None:
        mode = known(node.inputs[2])
        if mode is not None and mode.any():
            node.replace_input_with(2, None)
            return True
    training = node.attributes.get_int("training_mode", None)
    if node.op_type == "BatchNormalization" and training:
        statistics = node.outputs[1:]
        if not any(value.uses() or value.is_graph_output() for value in statistics):
            node.attributes["training_mode"] = ir.AttrInt64("training_mode", 0)
            node.resize_outputs(1)
            return True
    return False
