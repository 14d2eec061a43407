"""Activations that squash their input into a range: Tanh, Softsign, Sigmoid; and Softplus."""

from __future__ import annotations

import math

import numpy as np

from onnxmem.graph.kinds.curve import Curve, hard_sigmoid, sigmoid, softplus
from onnxmem.graph.kinds.kind import Kind, contributed, fused, operator
from onnxmem.graph.kinds.recurrent import states


def is_hard_sigmoid(curve: Curve) -> bool:
    """Tell a x + b cut off at 0 and 1, with 0 < b < 1."""
    beta, near = curve.at(0), 0.25
    alpha = (curve.at(near) - curve.at(-near)) / (2 * near)
    return 0.05 < beta < 0.95 and alpha > 0 and curve.fits(lambda x: hard_sigmoid(x, alpha, beta))


def is_softplus(curve: Curve) -> bool:
    """Tell log(1 + exp(b x)) / b for any b > 0."""
    sharpness = math.log(2) / curve.at(0) if curve.at(0) > 0 else 0.0
    return 0 < sharpness < 100 and curve.fits(lambda x: softplus(sharpness * x) / sharpness)


TANH = Kind(
    "tanh", "Tanh", "Tanh", signed=True, curve=lambda curve: curve.fits(np.tanh),
    patterns=(operator("Tanh"), fused("Tanh"), states("RNN", activation="tanh")),
)  # fmt: skip
SOFTSIGN = Kind(
    "softsign", "Softsign", "Softsign", signed=True,
    curve=lambda curve: curve.fits(lambda x: x / (1 + np.abs(x))),
    patterns=(operator("Softsign"), fused("Softsign")),
)  # fmt: skip
SIGMOID = Kind(
    "sigmoid", "Sigmoid", "Sigmoid", signed=False, curve=lambda curve: curve.fits(sigmoid),
    patterns=(operator("Sigmoid"), contributed("QLinearSigmoid"), fused("Sigmoid")),
)  # fmt: skip
HARD_SIGMOID = Kind(
    "hardsigmoid", "HardSigmoid", "HardSigmoid", signed=False, curve=is_hard_sigmoid,
    patterns=(operator("HardSigmoid"), fused("HardSigmoid")),
)  # fmt: skip
SOFTPLUS = Kind(
    "softplus", "Softplus", "Softplus", signed=False, curve=is_softplus,
    patterns=(operator("Softplus"), fused("Softplus")),
)  # fmt: skip
