"""The feature axis: which axis of a tensor counts features, decided without its shape.

Rank says little: a tensor of rank 3 may be (batch, features, time) or (batch, time, features).
What decides is the operator that made the features, found by walking back through operators
that keep axes or permute them; where that walk ends undecided, the operator that reads them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.ops import given, is_standard, is_weight, producer

SECOND = frozenset(
    {"BatchNormalization", "Conv", "ConvInteger", "ConvTranspose", "DeformConv", "FusedConv",
     "GroupNormalization", "InstanceNormalization", "LRN", "PRelu", "QLinearConv"}
)  # fmt: skip
"""Operators whose features are on axis 1."""

LAST = frozenset(
    {"Attention", "BiasGelu", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "FusedGemm",
     "FusedMatMul", "GRU", "Gemm",
     "LSTM", "LayerNormalization", "MatMul", "MatMulInteger", "MatMulIntegerToFloat",
     "MatMulNBits", "MultiHeadAttention", "NhwcConv", "NhwcFusedConv", "QGemm", "QLinearMatMul",
     "RMSNormalization", "RNN", "SimplifiedLayerNormalization", "SkipLayerNormalization"}
)  # fmt: skip
"""Operators whose features are on the last axis."""

MAYBE = frozenset({"LRN", "PRelu"})
"""Operators that tell the feature axis of what they read, but only if nothing else does."""

KEEP = frozenset(
    {"Abs", "Add", "AveragePool", "BiasAdd", "BitShift", "Cast", "Ceil", "Celu", "Clip", "Concat",
     "DepthToSpace", "DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Elu", "Erf",
     "Exp", "Expand", "FastGelu", "Floor", "Gelu", "GlobalAveragePool", "GlobalLpPool",
     "GlobalMaxPool", "HardSigmoid", "HardSwish", "Identity", "LRN", "LeakyRelu", "Log",
     "LogSoftmax", "LpNormalization", "LpPool", "Max", "MaxPool", "MeanVarianceNormalization",
     "Min", "Mish", "Mul", "Neg", "PRelu", "Pad", "Pow", "QLinearAdd", "QLinearAveragePool",
     "QLinearConcat", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearMul",
     "QLinearSigmoid", "QuantizeLinear", "QuickGelu", "Reciprocal", "Relu", "ReorderInput",
     "ReorderOutput", "Resize", "ReverseSequence", "Round", "Selu", "Shrink", "Sigmoid", "Sign",
     "Slice", "Softmax", "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Sub", "Sum",
     "Tanh", "ThresholdedRelu", "Tile", "Trilu", "Upsample", "Where"}
)  # fmt: skip
"""Operators that leave every axis where it is."""

REDUCE = frozenset(
    {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
     "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"}
)  # fmt: skip

DEEPEST = 60

Axis = tuple[int, str]
"""An axis (negative: from the end) and the operator that decided it."""

Found = dict[ir.Value, Axis | None]
"""What a walk has found already, so that it meets every tensor once."""


def feature_axis(value: ir.Value, known: Known) -> tuple[int | None, str]:
    """Return the feature axis of `value` and, for people, how it was decided."""
    if made := _made_by(value, known, {}, 0):
        return made[0], f"made by {made[1]}"
    if read := _read_by(value, known, {}, 0):
        return read[0], f"read by {read[1]}"
    if made := _made_by(value, known, {}, 0, hidden=True):
        return made[0], f"made by {made[1]}"
    return None, "neither what makes it nor what reads it tells"


def _made_by(
    value: ir.Value, known: Known, found: Found, depth: int, *, hidden: bool = False
) -> Axis | None:
    """Walk back; past shapes that are not known only where `hidden`."""
    if value not in found:
        found[value] = None
        found[value] = _decided_before(value, known, found, depth, hidden=hidden)
    return found[value]


def _decided_before(
    value: ir.Value, known: Known, found: Found, depth: int, *, hidden: bool
) -> Axis | None:
    node = value.producer()
    if node is None or depth > DEEPEST:
        return None
    op = node.op_type
    if op in SECOND - MAYBE:
        return 1, op
    if op in LAST:
        swapped = op == "MatMul" and is_weight(node.inputs[0])
        return (-2 if swapped else -1), op
    if op == "Gather" and is_weight(node.inputs[0]) and _axis(node) == 0:
        return -1, "Gather"
    if op == "Flatten":
        return -1, "Flatten"
    for source in node.inputs:
        if source is None or is_weight(source):
            continue
        made = _made_by(source, known, found, depth + 1, hidden=hidden)
        if made is not None and (axis := _forward(node, made[0], source, known)) is not None:
            return axis, made[1]
        if op not in KEEP:
            return _behind(node, made, known) if hidden and op == "Reshape" else None
    return None


def _behind(node: ir.Node, made: Axis | None, known: Known) -> Axis | None:
    """Return the feature axis behind a Reshape to a shape that is not known.

    Groups of features are normalised so: put together, and then given the shape of a tensor that
    still has them. So are matrices multiplied: all axes but the last one come from elsewhere. And
    so are the directions of a recurrent operator joined: all sizes stay, and the rest is the last.

    Args:
        node: The Reshape.
        made: The feature axis of what it reads.
        known: What is known of the shapes.
    """
    target, source = given(node, 1), node.inputs[0]
    shape = producer(target)
    while is_standard(shape, "Cast", "Identity") and shape is not None:
        shape = producer(shape.inputs[0])
    if is_standard(shape, "Shape") and shape is not None and shape.inputs[0] is not None:
        return _made_by(shape.inputs[0], known, {}, 0)
    if source is None or made is None or made[0] != -1:
        return None
    if (sizes := known(target)) is not None:
        return made if sizes.size and sizes.flat[-1] == -1 and not sizes.flat[:-1].any() else None
    end = known(shape.inputs[-1]) if is_standard(shape, "Concat") and shape is not None else None
    if end is None or not end.size:
        return None
    return made if int(end.flat[-1]) == _last_size(source) else None


def _last_size(value: ir.Value) -> int | str | None:
    """Return the size of the last axis, of a product by the weights as well."""
    if sizes := _sizes(value):
        return sizes[-1]
    node = value.producer()
    weights = given(node, 1) if is_standard(node, "MatMul") and node is not None else None
    return _last_size(weights) if weights is not None and is_weight(weights) else None


def _read_by(value: ir.Value, known: Known, found: Found, depth: int) -> Axis | None:
    if value not in found:
        found[value] = None
        found[value] = _decided_after(value, known, found, depth)
    return found[value]


def _decided_after(value: ir.Value, known: Known, found: Found, depth: int) -> Axis | None:
    if depth > DEEPEST:
        return None
    for node in value.consumers():
        op = node.op_type
        if op in SECOND and node.inputs[0] is value:
            return 1, op
        if op in LAST:
            if node.inputs[0] is value:
                return -1, op
            if op == "MatMul" and is_weight(node.inputs[0]):
                return -2, op
            continue
        if not node.outputs or node.graph is not value.graph:
            continue
        read = _read_by(node.outputs[0], known, found, depth + 1)
        if read is not None and (axis := _backward(node, read[0], value, known)) is not None:
            return axis, read[1]
    return None


def _axis(node: ir.Node) -> int:
    return int(node.attributes.get_int("axis", 0))


def _forward(node: ir.Node, axis: int, source: ir.Value, known: Known) -> int | None:
    """Return where `axis` of `source` is in the first output of `node`, None where it is lost."""
    op = node.op_type
    if op in KEEP:
        return axis
    rank = len(source.shape) if source.shape is not None else None
    if op == "Transpose":
        return _permuted(node, axis, rank, inverse=False)
    if op == "Reshape":
        return _reshaped(axis, source, node.outputs[0], known(given(node, 1)))
    axes = _removed_axes(node, known)
    if op == "Unsqueeze" and axes is not None:
        return _inserted(axis, axes)
    if op == "Squeeze" or op in REDUCE:
        if op in REDUCE and _keeps_axes(node):
            return axis
        return None if axes is None else _dropped(axis, axes, rank)
    if op == "Gather":
        index = given(node, 1)
        is_scalar = index is not None and index.shape is not None and len(index.shape) == 0
        return _dropped(axis, [_axis(node)], rank) if is_scalar else axis
    return None


def _backward(node: ir.Node, axis: int, source: ir.Value, known: Known) -> int | None:
    """Return where `axis` of the first output of `node` comes from in `source`."""
    op = node.op_type
    if op in KEEP:
        return axis
    rank = len(source.shape) if source.shape is not None else None
    if op == "Transpose":
        return _permuted(node, axis, rank, inverse=True)
    if op == "Reshape":
        target = known(given(node, 1))
        if source.shape is None or target is None or node.outputs[0].shape is None:
            return None
        return _reshaped(axis, node.outputs[0], source, None)
    axes = _removed_axes(node, known)
    if op == "Unsqueeze" and axes is not None:
        return _dropped(axis, axes, None if rank is None else rank + len(axes))
    if op == "Squeeze" or op in REDUCE:
        if op in REDUCE and _keeps_axes(node):
            return axis
        return None if axes is None else _inserted(axis, axes)
    return None


def _keeps_axes(node: ir.Node) -> bool:
    """Tell whether a reduction leaves axes of size one behind."""
    keepdims = node.attributes.get("keepdims")
    return keepdims is None or bool(keepdims.as_int())


def _removed_axes(node: ir.Node, known: Known) -> list[int] | None:
    """Return the axes that Squeeze, Unsqueeze or a reduction names, None where unknown."""
    named = node.attributes.get_ints("axes", None)
    if named is not None:
        return [int(axis) for axis in named]
    content = known(given(node, 1))
    return None if content is None else [int(axis) for axis in content.flat]


def _permuted(node: ir.Node, axis: int, rank: int | None, *, inverse: bool) -> int | None:
    named = node.attributes.get_ints("perm", None)
    if named is None and rank is None:
        return -1 - axis
    permutation = list(named) if named is not None else list(range(rank or 0))[::-1]
    place = axis % len(permutation) if -len(permutation) <= axis < len(permutation) else None
    if place is None:
        return None
    moved = permutation[place] if inverse else permutation.index(place)
    return moved - len(permutation) if moved == len(permutation) - 1 else moved


def _dropped(axis: int, axes: Sequence[int], rank: int | None) -> int | None:
    """Return where `axis` is after `axes` are taken out; both count in the larger tensor."""
    if rank is not None:
        place, gone = axis % rank, {item % rank for item in axes}
        if place in gone:
            return None
        return place - sum(item < place for item in gone) - (rank - len(gone) if axis < 0 else 0)
    if any((item < 0) != (axis < 0) for item in axes):
        # Counted from different ends: decided only where the axes cannot be the same.
        return axis if axis == -1 and -1 not in axes and max(axes) <= 1 else None
    if axis in axes:
        return None
    if axis >= 0:
        return axis - sum(item < axis for item in axes)
    return axis + sum(item > axis for item in axes)


def _inserted(axis: int, axes: Sequence[int]) -> int | None:
    """Return where `axis` is after axes of size one appear at `axes` of the result."""
    if axis >= 0 and all(item >= 0 for item in axes):
        for item in sorted(axes):
            axis += item <= axis
        return axis
    if axis < 0 and all(item < 0 for item in axes):
        for item in sorted(axes, reverse=True):
            axis -= item >= axis
        return axis
    return axis if axis == -1 and -1 not in axes and max(axes) <= 1 else None


def _reshaped(
    axis: int, source: ir.Value, result: ir.Value, target: np.ndarray | None
) -> int | None:
    """Return where `axis` of `source` is in `result`, where its size and its neighbours stay.

    An axis survives a Reshape if as many elements stand before it and it keeps its size (then
    so do the elements behind it).
    """
    if target is not None and 0 <= axis < target.size and target.flat[axis] == 0:
        return axis
    old, new = _sizes(source), _sizes(result)
    if new is None and target is not None:
        new = [int(size) if size > 0 else None for size in target.flat]
    if old is None or new is None:
        return None
    place = axis % len(old)
    if isinstance(old[place], int):
        if place == len(old) - 1 and new[-1] == old[-1]:
            return -1
        if place < len(new) and new[place] == old[place] and _same(old[1:place], new[1:place]):
            return place
    return None


def _same(left: Sequence[object], right: Sequence[object]) -> bool:
    return all(a == b and a is not None for a, b in zip(left, right, strict=True))


def _sizes(value: ir.Value) -> list[int | str | None] | None:
    if value.shape is None:
        return None
    return [size if isinstance(size, int) else size.value for size in value.shape]
