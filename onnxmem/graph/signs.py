"""What can be said about the sign of a tensor from the operators that made it."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.ops import given, producer

NEVER = frozenset({"Abs", "Exp", "HardSigmoid", "Relu", "Sigmoid", "Softmax", "Softplus", "Sqrt"})
"""Operators that never give a negative number."""

PASS = frozenset(
    {"AveragePool", "Cast", "Concat", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather",
     "GlobalAveragePool", "GlobalMaxPool", "Identity", "MaxPool", "ReduceMax", "ReduceMean",
     "ReduceSum", "Reshape", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose",
     "Unsqueeze"}
)  # fmt: skip
"""Operators that give no negative number if their (first) input holds none."""

JOIN = frozenset({"Add", "Concat", "Max", "Mul", "Sum"})
"""Operators that give no negative number if none of their inputs holds one."""


def never_negative(value: ir.Value | None, known: Known, depth: int = 0) -> bool:
    """Tell whether `value` provably holds no negative number."""
    if (content := known(value)) is not None:
        return content.dtype.kind in "fiub" and bool((content >= 0).all())
    node = producer(value)
    if node is None or depth > 50:
        return False
    if node.op_type in NEVER:
        return True
    if node.op_type in JOIN:
        return all(never_negative(item, known, depth + 1) for item in node.inputs)
    if node.op_type in PASS:
        return never_negative(node.inputs[0], known, depth + 1)
    if node.op_type == "Clip":
        low = node.attributes.get_float("min", None)
        low = known.scalar(given(node, 1)) if low is None else low
        return low is not None and low >= 0
    if node.op_type == "DequantizeLinear" and zero_is_smallest(given(node, 2), known):
        return True
    if node.op_type in ("DequantizeLinear", "QuantizeLinear"):
        return never_negative(node.inputs[0], known, depth + 1)
    return False


def zero_is_smallest(zero: ir.Value | None, known: Known) -> bool:
    """Tell whether the zero point `zero` is the smallest value of its integer type."""
    content = known(zero)
    if content is None or not np.issubdtype(content.dtype, np.integer):
        return False
    return bool((content == np.iinfo(content.dtype).min).all())
