"""What a tensor serves: units of the next layer, a gate of another tensor, or scores."""

from __future__ import annotations

from collections.abc import Callable

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


def gates_another(value: ir.Value) -> bool:
    """Tell whether `value` does nothing but multiply other tensors, as in squeeze and excitation.

    It may be shifted before, as in 1 - gate.
    """
    return _ends_so(value, _gated, or_output=False)


def is_score(value: ir.Value) -> bool:
    """Tell whether `value` becomes an output of the model, or what attention attends to.

    It may be scaled, shifted, masked and put beside others before.
    """
    return _ends_so(value, _scored, or_output=True)


Follow = Callable[[ir.Node, ir.Value], "tuple[ir.Value, ...] | None"]
"""From a reader and what it reads to what to follow further; None where it ends otherwise."""


def _ends_so(value: ir.Value, follow: Follow, *, or_output: bool) -> bool:
    """Tell whether all ways from `value` on end as wanted, within `FARTHEST` steps.

    However many ways there are, a tensor is looked at once for each number of steps to it.
    """
    reached = {value}
    for _ in range(FARTHEST + 1):
        behind = set[ir.Value]()
        for one in reached:
            readers, is_output = one.consumers(), one.is_graph_output()
            if not readers and not (or_output and is_output):
                return False
            if is_output and not or_output:
                return False
            for reader in readers:
                if (further := follow(reader, one)) is None:
                    return False
                behind.update(further)
        reached = behind
        if not reached:
            return True
    return False


def _gated(reader: ir.Node, value: ir.Value) -> tuple[ir.Value, ...] | None:
    if reader.op_type == "QLinearMul":
        return None if is_weight(reader.inputs[0]) or is_weight(reader.inputs[3]) else ()
    others = [one for one in reader.inputs if one is not None and one is not value]
    if is_standard(reader, "Mul") and len(others) == 1 and not is_weight(others[0]):
        return ()
    passed = reader.op_type in FORMS or (
        is_standard(reader, *SHIFTS) and len(others) == 1 and is_weight(others[0])
    )
    return tuple(reader.outputs[:1]) if passed else None


def _scored(reader: ir.Node, value: ir.Value) -> tuple[ir.Value, ...] | None:
    if reader.op_type in CHOICES:
        return ()
    others = [one for one in reader.inputs if one is not None and one is not value]
    passed = reader.op_type in FORMS | JOINS or (
        reader.op_type in (*SHIFTS, "QLinearMul") and all(map(is_weight, others))
    )
    return tuple(reader.outputs) if passed else None
