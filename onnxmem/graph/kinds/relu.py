"""The spellings of a ReLU: one function each, from a node to what it matches, or None."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.kind import Kind, Match, fused_activation, of
from onnxmem.graph.ops import dequantizes, given, is_standard, producer
from onnxmem.graph.quantized import folds_relu


@of("Relu")
def relu(node: ir.Node, known: Known) -> Match | None:
    """Relu(x)."""
    return Match(node.outputs[0], "Relu", node.inputs[0]) if is_standard(node, "Relu") else None


@of("Clip")
def clip(node: ir.Node, known: Known) -> Match | None:
    """Clip(x, 0, c) with c > 0, or without c."""
    if not is_standard(node, "Clip"):
        return None
    low, high = clip_bounds(node, known)
    if low != 0 or (high is not None and high <= 0):
        return None
    return Match(node.outputs[0], "Clip", node.inputs[0], high)


def clip_bounds(node: ir.Node, known: Known) -> tuple[float | None, float | None]:
    """Return the bounds of a Clip, from its attributes (opset 6) or its inputs (opset 11)."""
    low, high = (
        node.attributes.get_float("min", None),
        node.attributes.get_float("max", None),
    )
    low = known.scalar(given(node, 1)) if low is None else low
    high = known.scalar(given(node, 2)) if high is None else high
    unbounded = high is None or high > 1e30
    return low, None if unbounded else high


@of("Max")
def maximum(node: ir.Node, known: Known) -> Match | None:
    """Max(x, 0), in either order."""
    if not is_standard(node, "Max") or len(node.inputs) != 2:
        return None
    for source, other in (node.inputs, node.inputs[::-1]):
        if known.scalar(other) == 0:
            return Match(node.outputs[0], "Max", source)
    return None


@of("Where")
def where(node: ir.Node, known: Known) -> Match | None:
    """Where(x > c, x, 0) and Where(x < c, 0, x) with c >= 0, in all their spellings."""
    if not is_standard(node, "Where"):
        return None
    condition, yes, no = node.inputs
    for source, other, wanted in ((yes, no, True), (no, yes, False)):
        if known.scalar(other) == 0 and _tests_positive(condition, source, known) is wanted:
            return Match(node.outputs[0], "Where", source)
    return None


@of("Mul")
def mask(node: ir.Node, known: Known) -> Match | None:
    """Mul(x, Cast(x > c)) with c >= 0, in either order."""
    if not is_standard(node, "Mul"):
        return None
    for source, other in (node.inputs, node.inputs[::-1]):
        cast = producer(other)
        if cast is None or not is_standard(cast, "Cast"):
            continue
        if _tests_positive(cast.inputs[0], source, known) is True:
            return Match(node.outputs[0], "Mul", source)
    return None


def _tests_positive(
    condition: ir.Value | None, source: ir.Value | None, known: Known
) -> bool | None:
    """Tell whether `condition` says that `source` is above (True) or below (False) some c >= 0."""
    node = producer(condition)
    if node is None or source is None:
        return None
    if is_standard(node, "Not"):
        opposite = _tests_positive(node.inputs[0], source, known)
        return None if opposite is None else not opposite
    if not is_standard(node, "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
        return None
    left, right = node.inputs
    greater = node.op_type.startswith("Greater")
    if right is source:
        left, right, greater = right, left, not greater
    bound = known.scalar(right)
    return greater if left is source and bound is not None and bound >= 0 else None


@of("LeakyRelu", "PRelu", "ThresholdedRelu")
def slope_zero(node: ir.Node, known: Known) -> Match | None:
    """LeakyRelu and PRelu with slope 0, ThresholdedRelu with a threshold >= 0."""
    flat = (
        (is_standard(node, "LeakyRelu") and node.attributes.get_float("alpha", 0.01) == 0)
        or (is_standard(node, "PRelu") and known.scalar(node.inputs[1]) == 0)
        or (is_standard(node, "ThresholdedRelu") and node.attributes.get_float("alpha", 1.0) >= 0)
    )
    return Match(node.outputs[0], node.op_type, node.inputs[0]) if flat else None


@of()
def fused(node: ir.Node, known: Known) -> Match | None:
    """Match an operator of onnxruntime's own with `activation` Relu, or Clip from 0."""
    name = fused_activation(node)
    parameters = list(node.attributes.get_floats("activation_params", ()))
    if name == "Relu":
        return Match(node.outputs[0], node.op_type, None)
    if name == "Clip" and len(parameters) == 2 and parameters[0] == 0 < parameters[1]:
        return Match(node.outputs[0], node.op_type, None)
    return None


@of("RNN")
def recurrent(node: ir.Node, known: Known) -> Match | None:
    """Match the sequence of states of an RNN whose activation is Relu."""
    if not is_standard(node, "RNN"):
        return None
    names = [name.lower() for name in node.attributes.get_strings("activations", None) or ()]
    if not names or set(names) != {"relu"} or not node.outputs[0].name:
        return None
    return Match(node.outputs[0], "RNN", None)


@of("DequantizeLinear")
def folded(node: ir.Node, known: Known) -> Match | None:
    """Match a quantiser that cannot represent negatives; the tensor is the dequantised one."""
    quantizer = producer(node.inputs[0]) if dequantizes(node) else None
    if quantizer is None or not folds_relu(quantizer, known):
        return None
    return Match(node.outputs[0], quantizer.op_type, quantizer.inputs[0])


@of()
def experts(node: ir.Node, known: Known) -> Match | None:
    """Match a mixture of experts of onnxruntime's own, whose ReLUs are inside of it."""
    if node.op_type not in ENCLOSED or node.domain != "com.microsoft":
        return None
    if node.attributes.get_string("activation_type", "relu") != "relu":
        return None
    return Match(node.outputs[0], node.op_type, None)


ENCLOSED = ("MoE", "QMoE")
"""Operators with activations inside that no graph around them can reach."""

RELU = Kind(
    name="relu",
    title="ReLU",
    op="Relu",
    signed=False,
    patterns=(relu, clip, maximum, where, mask, slope_zero, fused, recurrent, folded, experts),
)
