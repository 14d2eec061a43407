"""Families of operators that several rooms ask about."""

from __future__ import annotations

import onnx_ir as ir

DEFAULT_DOMAINS = ("", "ai.onnx")


def is_standard(node: ir.Node | None, *ops: str) -> bool:
    """Tell whether `node` is one of `ops` of the default domain."""
    return node is not None and node.op_type in ops and node.domain in DEFAULT_DOMAINS


def dequantizes(node: ir.Node | None) -> bool:
    """Tell whether `node` is DequantizeLinear, of the default domain or onnxruntime's own."""
    domains = (*DEFAULT_DOMAINS, "com.microsoft")
    return node is not None and node.op_type == "DequantizeLinear" and node.domain in domains


def producer(value: ir.Value | None) -> ir.Node | None:
    """Return the node that makes `value`, None for inputs, constants and no value at all."""
    return None if value is None else value.producer()


def given(node: ir.Node, index: int) -> ir.Value | None:
    """Return the input of `node` at `index`, None where it is left out."""
    return node.inputs[index] if index < len(node.inputs) else None


def is_weight(value: ir.Value | None) -> bool:
    """Tell whether `value` is a weight, possibly one that is dequantised or cast first."""
    while value is not None and value.const_value is None:
        node = value.producer()
        if node is None or node.op_type not in WEIGHT_FORMS:
            return False
        value = node.inputs[0]
    return value is not None


WEIGHT_FORMS = ("Cast", "DequantizeLinear", "Identity", "Transpose", "Unsqueeze")
"""Operators that weights may go through before they are used."""

LEARNED = frozenset(
    {"Attention", "Conv", "ConvInteger", "ConvTranspose", "DeformConv", "Einsum", "FusedConv",
     "FusedGemm", "FusedMatMul", "GRU", "Gemm", "LSTM", "MatMul", "MatMulInteger",
     "MatMulNBits", "MultiHeadAttention", "NhwcConv", "NhwcFusedConv", "QGemm", "QLinearConv",
     "QLinearMatMul", "RNN", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"}
)  # fmt: skip
"""Operators that mix features by weights."""

WHOLE_BATCH_OPS = frozenset(
    {"DynamicQuantizeLinear", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "Unique"}
)
"""Operators whose result for one sample depends on which other samples are in the batch."""
