"""Activations that multiply their input by a gate of it: GELU, SiLU, HardSwish, Mish."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.curve import Curve, gelu, hard_sigmoid, mish, sigmoid
from onnxmem.graph.kinds.kind import Kind, Match, Pattern, contributed, fused, of, operator
from onnxmem.graph.ops import is_standard

QUICK = 1.702
"""The factor with which x σ(1.702 x) comes near GELU (Hendrycks, Gimpel 2016)."""


def _gate(curve: Curve) -> np.ndarray:
    """Return what the input is multiplied with, not a number where that cannot be told."""
    with np.errstate(all="ignore"):
        return np.asarray(curve.y / curve.x)


def _swish_factor(curve: Curve) -> float | None:
    """Return b where the gate is σ(b x), None where it is no sigmoid."""
    gate = _gate(curve)
    with np.errstate(all="ignore"):
        factors = np.log(gate / (1 - gate)) / curve.x
    found = factors[(gate > 0.02) & (gate < 0.98)]
    factor = float(np.median(found)) if found.size else 0.0
    return factor if factor > 0 and curve.fits(lambda x: x * sigmoid(factor * x)) else None


def is_gelu(curve: Curve) -> bool:
    """Tell GELU: exact, by tanh (both within the tolerance), or by a sigmoid."""
    if curve.fits(gelu):
        return True
    factor = _swish_factor(curve)
    return factor is not None and _is_quick(factor)


def is_silu(curve: Curve) -> bool:
    """Tell x σ(b x) for any b > 0 other than that of GELU."""
    factor = _swish_factor(curve)
    return factor is not None and not _is_quick(factor)


def is_hard_swish(curve: Curve) -> bool:
    """Tell x times a hard sigmoid with the value 1/2 at zero."""
    gate = _gate(curve)
    inner = np.isfinite(gate) & (gate > 0.05) & (gate < 0.95) & (curve.x != 0)
    if not inner.any():
        return False
    slope = float(np.median((gate[inner] - 0.5) / curve.x[inner]))
    return slope > 0 and curve.fits(lambda x: x * hard_sigmoid(x, slope, 0.5))


def _is_quick(factor: float) -> bool:
    return abs(factor - QUICK) < 0.05


def _quick(*, is_gelu: bool) -> Pattern:
    """Return the pattern of x σ(alpha x), as one operator, with the factor of GELU or another."""

    @of("Swish")
    def pattern(node: ir.Node, known: Known) -> Match | None:
        quick = node.op_type == "QuickGelu" and node.domain == "com.microsoft"
        if not quick and not is_standard(node, "Swish"):
            return None
        factor = node.attributes.get_float("alpha", QUICK if quick else 1.0)
        if _is_quick(factor) is not is_gelu:
            return None
        return Match(node.outputs[0], node.op_type, node.inputs[0])

    return pattern


GELU = Kind(
    "gelu", "GELU", "Gelu", signed=True, curve=is_gelu,
    patterns=(operator("Gelu"), contributed("Gelu", "BiasGelu", "FastGelu"),
              _quick(is_gelu=True), fused("Gelu")),
)  # fmt: skip
SILU = Kind(
    "silu", "SiLU", "Swish", signed=True, curve=is_silu,
    patterns=(_quick(is_gelu=False), fused("Swish"), fused("Silu")),
)  # fmt: skip
HARD_SWISH = Kind(
    "hardswish", "HardSwish", "HardSwish", signed=True, curve=is_hard_swish,
    patterns=(operator("HardSwish"), fused("HardSwish")),
)  # fmt: skip
MISH = Kind(
    "mish", "Mish", "Mish", signed=True, curve=lambda curve: curve.fits(mish),
    patterns=(operator("Mish"),),
)  # fmt: skip
