"""Activations that are the identity above zero and let something through below it."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.curve import Curve, elu
from onnxmem.graph.kinds.kind import Kind, Match, fused, of, operator
from onnxmem.graph.ops import is_standard

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""Klambauer et al. 2017."""

SHALLOWEST = 0.02
"""Below this an exponential that goes as far below zero is hardly seen."""

STEPS = 20
"""Of the iteration that finds how far CELU would go."""

STRAIGHT = 0.02
"""What of the tolerance is left to functions that are straight, since a slope can be small."""

STRAIGHT_LINES = (np.abs, np.asarray, lambda x: np.maximum(x, 0))
"""Functions that are straight on either side of zero, too, and do not leak."""


def _slope(curve: Curve) -> float | None:
    """Return the slope below zero of what is the identity above it; None for other functions."""
    known = np.isfinite(curve.y)
    below = known & (curve.x < 0)
    if not (known & (curve.x > 0)).any():
        return None
    slope = float(np.median(curve.y[below] / curve.x[below]))
    straight = curve.fits(lambda x: np.where(x > 0, x, slope * x), STRAIGHT)
    leaks = not any(curve.fits(other, STRAIGHT) for other in STRAIGHT_LINES)
    return slope if leaks and straight else None


def _leftmost(curve: Curve) -> tuple[float, float]:
    """Return the first known place and its value."""
    first = np.isfinite(curve.y).argmax()
    return float(curve.x[first]), float(curve.y[first])


def is_elu(curve: Curve) -> bool:
    """Tell a (exp(x) - 1) below zero, for any a > 0 (Clevert et al. 2015)."""
    x, y = _leftmost(curve)
    alpha = y / math.expm1(x)
    return alpha > SHALLOWEST and curve.fits(lambda x: elu(x, alpha))


def is_celu(curve: Curve) -> bool:
    """Tell a (exp(x / a) - 1) below zero, for any a > 0 (Barron 2017)."""
    x, y = _leftmost(curve)
    alpha = -y
    for _ in range(STEPS):
        if alpha <= SHALLOWEST:
            return False
        alpha = y / math.expm1(x / alpha)
    return curve.fits(lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)))


def is_selu(curve: Curve) -> bool:
    """Tell ELU with the two constants of SELU."""
    return curve.fits(lambda x: SELU_SCALE * elu(x, SELU_ALPHA))


@of("LeakyRelu")
def leaking(node: ir.Node, known: Known) -> Match | None:
    """LeakyRelu with a slope other than 0."""
    quantized = node.op_type == "QLinearLeakyRelu" and node.domain == "com.microsoft"
    if not quantized and not is_standard(node, "LeakyRelu"):
        return None
    if node.attributes.get_float("alpha", 0.01) == 0:
        return None
    return Match(node.outputs[0], node.op_type, node.inputs[0])


@of("PRelu")
def learned(node: ir.Node, known: Known) -> Match | None:
    """PRelu with slopes other than 0."""
    if not is_standard(node, "PRelu") or known.scalar(node.inputs[1]) == 0:
        return None
    return Match(node.outputs[0], "PRelu", node.inputs[0])


@of("ThresholdedRelu")
def thresholded(node: ir.Node, known: Known) -> Match | None:
    """ThresholdedRelu with a threshold below 0."""
    if not is_standard(node, "ThresholdedRelu") or node.attributes.get_float("alpha", 1.0) >= 0:
        return None
    return Match(node.outputs[0], "ThresholdedRelu", node.inputs[0])


ELU = Kind("elu", "ELU", "Elu", signed=True, curve=is_elu, patterns=(operator("Elu"), fused("Elu")))
SELU = Kind("selu", "SELU", "Selu", signed=True, curve=is_selu, patterns=(operator("Selu"),))
CELU = Kind("celu", "CELU", "Celu", signed=True, curve=is_celu, patterns=(operator("Celu"),))
LEAKY_RELU = Kind(
    "leakyrelu", "LeakyReLU", "LeakyRelu", signed=True,
    curve=lambda curve: not curve.several and _slope(curve) is not None,
    patterns=(leaking, fused("LeakyRelu")),
)  # fmt: skip
PRELU = Kind(
    "prelu", "PReLU", "PRelu", signed=True,
    curve=lambda curve: curve.several and _slope(curve) is not None, patterns=(learned,),
)  # fmt: skip
THRESHOLDED_RELU = Kind(
    "thresholdedrelu", "ThresholdedReLU", "ThresholdedRelu", signed=True, patterns=(thresholded,)
)
