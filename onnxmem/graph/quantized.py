"""ReLUs that quantisation has folded away: the type of the tensor cannot go below zero."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.ops import given, producer
from onnxmem.graph.records import Model
from onnxmem.graph.signs import integer_limits, never_negative, zero_is_smallest

SCALE_AND_ZERO = {
    "QuantizeLinear": (1, 2),
    "QLinearConv": (6, 7),
    "QLinearMatMul": (6, 7),
    "QLinearAdd": (6, 7),
    "QGemm": (7, 8),
}
"""Operators with a quantised output: where its scale and its zero point stand."""

RESULT = {**SCALE_AND_ZERO, "QLinearLeakyRelu": (3, 4), "QLinearMul": (6, 7),
          "QLinearSigmoid": (3, 4)}  # fmt: skip
"""The same, of operators that may end an activation as well."""

SIGNED = frozenset(
    {"Add", "BatchNormalization", "Conv", "ConvTranspose", "FusedConv", "FusedGemm",
     "FusedMatMul", "Gemm", "InstanceNormalization", "LayerNormalization", "MatMul", "Sub", "Sum"}
)  # fmt: skip
"""Operators whose result has both signs, so that a quantiser without negatives cuts it off."""


def is_quantized(model: Model) -> bool:
    """Tell whether `model` holds quantised weights or activations."""
    ops = {node.op_type for node in model.ir.graph.all_nodes()}
    return any(op.startswith("QLinear") for op in ops) or bool(ops & COMPUTE_QUANTIZED)


COMPUTE_QUANTIZED = frozenset(
    {"ConvInteger", "DequantizeLinear", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul",
     "GatherBlockQuantized", "MatMulBnb4", "MatMulInteger", "MatMulIntegerToFloat", "MatMulNBits",
     "QAttention", "QGemm", "QMoE"}
)  # fmt: skip
"""Operators beside QLinear... that compute with quantised numbers."""


def folds_relu(node: ir.Node, known: Known) -> bool:
    """Tell whether `node` quantises to a type whose smallest value stands for zero.

    Such a quantiser is a ReLU only if what it quantises can be negative.
    """
    if node.op_type not in SCALE_AND_ZERO:
        return False
    scale_at, zero_at = SCALE_AND_ZERO[node.op_type]
    if given(node, scale_at) is None or not _zero_is_smallest(node, zero_at, known):
        return False
    if node.op_type == "QuantizeLinear":
        source = producer(node.inputs[0])
        return (
            source is not None
            and source.op_type in SIGNED
            and not never_negative(node.inputs[0], known)
        )
    if node.op_type == "QLinearAdd":
        return not all(zero_is_smallest(given(node, at), known) for at in (2, 5))
    return True


def largest(node: ir.Node, known: Known) -> float | None:
    """Return the largest number that the quantiser `node` can represent, None where not known."""
    scale_at, zero_at = SCALE_AND_ZERO[node.op_type]
    scale, zero = known.scalar(given(node, scale_at)), known(given(node, zero_at))
    if scale is None:
        return None
    if zero is None:
        return scale * 255
    limits = integer_limits(zero.dtype)
    if limits is None or not zero.size:
        return None
    return scale * float(limits[1] - int(zero.flat[0]))


def constant_term(node: ir.Node, known: Known) -> float | None:
    """Return the number that a QLinearAdd adds to its other operand, None where there is none."""
    if node.op_type != "QLinearAdd":
        return None
    for at in (0, 3):
        number, scale, zero = (known.scalar(given(node, at + i)) for i in range(3))
        if number is not None and scale is not None:
            return (number - (zero or 0)) * scale
    return None


def _zero_is_smallest(node: ir.Node, zero_at: int, known: Known) -> bool:
    zero = given(node, zero_at)
    if zero is None:
        return node.op_type == "QuantizeLinear" and "output_dtype" not in node.attributes
    return zero_is_smallest(zero, known)
