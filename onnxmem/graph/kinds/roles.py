"""What a tensor serves: units of the next layer, a gate of another tensor, or scores."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.graph.ops import is_standard, is_weight

FORMS = frozenset(
    {"Cast", "DequantizeLinear", "Expand", "Flatten", "Identity", "QuantizeLinear", "Reshape",
     "Squeeze", "Transpose", "Unsqueeze"}
)  # fmt: skip
"""Operators that give the same numbers in another form."""

SHIFTS = frozenset({"Add", "Div", "Mul", "Sub"})
CHOICES = frozenset({"ArgMax", "Hardmax", "LogSoftmax", "QLinearSoftmax", "Softmax", "TopK"})
"""Operators that turn scores into a choice."""

JOINS = frozenset(
    {"Add", "Clip", "Concat", "Gather", "QLinearAdd", "QLinearConcat", "QLinearSigmoid",
     "QLinearWhere", "Sigmoid", "Slice", "Split", "Sub", "Tanh", "Where"}
)  # fmt: skip
"""Operators that leave scores what they are: masked, squashed, picked or put beside others."""

FARTHEST = 12


def gates_another(value: ir.Value, depth: int = 0) -> bool:
    """Tell whether `value` does nothing but multiply other tensors, as in squeeze and excitation.

    It may be shifted before, as in 1 - gate.
    """
    readers = value.consumers()
    if not readers or depth > FARTHEST or value.is_graph_output():
        return False
    return all(_gates(reader, value, depth) for reader in readers)


def _gates(reader: ir.Node, value: ir.Value, depth: int) -> bool:
    if reader.op_type == "QLinearMul":
        return not is_weight(reader.inputs[0]) and not is_weight(reader.inputs[3])
    others = [one for one in reader.inputs if one is not None and one is not value]
    if is_standard(reader, "Mul") and len(others) == 1 and not is_weight(others[0]):
        return True
    passed = reader.op_type in FORMS or (
        is_standard(reader, *SHIFTS) and len(others) == 1 and is_weight(others[0])
    )
    return passed and gates_another(reader.outputs[0], depth + 1)


def is_score(value: ir.Value, depth: int = 0) -> bool:
    """Tell whether `value` becomes an output of the model, or what attention attends to.

    It may be scaled, shifted, masked and put beside others before.
    """
    readers = value.consumers()
    if depth > FARTHEST or not (readers or value.is_graph_output()):
        return False
    return all(_scores(reader, value, depth) for reader in readers)


def _scores(reader: ir.Node, value: ir.Value, depth: int) -> bool:
    if reader.op_type in CHOICES:
        return True
    others = [one for one in reader.inputs if one is not None and one is not value]
    passed = reader.op_type in FORMS | JOINS or (
        reader.op_type in (*SHIFTS, "QLinearMul") and all(map(is_weight, others))
    )
    return passed and all(is_score(output, depth + 1) for output in reader.outputs)
