"""The states of recurrent operators, whose activations are inside."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.kind import Kind, Match, Pattern, of
from onnxmem.graph.ops import DEFAULT_DOMAINS


def states(*ops: str, activation: str = "") -> Pattern:
    """Return the pattern of operators whose sequence of states, or else the last one, is read.

    Args:
        ops: The operators.
        activation: The only one that they may have, in small letters; "" for any.
    """

    @of(*ops)
    def pattern(node: ir.Node, known: Known) -> Match | None:
        if node.op_type not in ops or node.domain not in (*DEFAULT_DOMAINS, "com.microsoft"):
            return None
        names = node.attributes.get_strings("activations", None) or [activation]
        if activation and {name.lower() for name in names} != {activation}:
            return None
        used = (one for one in node.outputs[:2] if one.consumers() or one.is_graph_output())
        value = next(used, None)
        return None if value is None else Match(value, node.op_type, node.inputs[0])

    return pattern


LSTM = Kind("lstm", "LSTM", "LSTM", signed=True, patterns=(states("LSTM", "DynamicQuantizeLSTM"),))
GRU = Kind("gru", "GRU", "GRU", signed=True, patterns=(states("GRU"),))
