"""What can be said about the sign of a tensor from the operators that made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


_NARROW = {"int2": (-2, 1), "uint2": (0, 3), "int4": (-8, 7), "uint4": (0, 15)}
"""Limits of integer types that NumPy does not know."""

FARTHEST = 1000
"""Tensors after which a walk gives up."""


def never_negative(value: ir.Value | None, known: Known) -> bool:
    """Tell whether `value` provably holds no negative number."""
    pending, seen = [value], set[ir.Value | None]()
    while pending:
        item = pending.pop()
        if item in seen:
            continue
        seen.add(item)
        sources = _never_negative_if(item, known)
        if sources is None or len(seen) > FARTHEST:
            return False
        pending.extend(sources)
    return True


def _never_negative_if(value: ir.Value | None, known: Known) -> Sequence[ir.Value | None] | None:
    """Return the tensors that must hold no negative number for `value` to hold none.

    None: it may hold one whatever they hold.
    """
    if (content := known(value)) is not None:
        return () if content.dtype.kind in "fiub" and bool((content >= 0).all()) else None
    node = producer(value)
    if node is None:
        return None
    if node.op_type in NEVER or _is_square(node, known):
        return ()
    if node.op_type in JOIN:
        return node.inputs
    if node.op_type in PASS:
        return node.inputs[:1]
    if node.op_type == "Clip":
        low = node.attributes.get_float("min", None)
        low = known.scalar(given(node, 1)) if low is None else low
        return () if low is not None and low >= 0 else None
    if node.op_type == "DequantizeLinear" and zero_is_smallest(given(node, 2), known):
        return ()
    if node.op_type in ("DequantizeLinear", "QuantizeLinear"):
        return node.inputs[:1]
    return None


def _is_square(node: ir.Node, known: Known) -> bool:
    """Tell whether `node` multiplies a tensor with itself, or takes it to an even power."""
    if node.op_type == "Pow":
        exponent = known.scalar(node.inputs[1])
        return exponent is not None and exponent % 2 == 0
    return node.op_type == "Mul" and node.inputs[0] is node.inputs[1]


def zero_is_smallest(zero: ir.Value | None, known: Known) -> bool:
    """Tell whether the zero point `zero` is the smallest value of its integer type."""
    content = known(zero)
    if content is None or (limits := integer_limits(content.dtype)) is None:
        return False
    return bool(np.asarray(content == limits[0]).all())


def integer_limits(dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """Return the smallest and the largest value of an integer type, None where it is none."""
    if dtype.name in _NARROW:
        return _NARROW[dtype.name]
    if not np.issubdtype(dtype, np.integer):
        return None
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
