"""What is known of a tensor before any run: constants, and sizes that the graph fixes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import onnx
import onnx.reference
import onnx.shape_inference
import onnx_ir as ir

from onnxmem.graph.ops import given, is_standard

SMALL = 1 << 16
"""Elements of the largest constant that is read; larger ones are weights."""

UNKNOWN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    onnx.checker.ValidationError,
    onnx.shape_inference.InferenceError,
)
"""What inference and the reference evaluator raise for operators and types that they lack."""

FOLDED = frozenset(
    {"Abs", "Add", "And", "Cast", "CastLike", "Ceil", "Clip", "Concat", "ConstantOfShape",
     "DequantizeLinear", "Div", "Equal", "Exp", "Expand", "Flatten", "Floor", "Gather",
     "GatherElements", "GatherND", "Greater", "GreaterOrEqual", "Identity", "Less",
     "LessOrEqual", "Log", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow",
     "QuantizeLinear", "Range", "Reciprocal", "ReduceMax", "ReduceMin", "ReduceProd",
     "ReduceSum", "Relu", "Reshape", "Round", "ScatterElements", "ScatterND", "Shape", "Sign",
     "Size", "Slice", "Softplus", "Sigmoid", "Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Tile",
     "Transpose", "Unsqueeze", "Where", "Xor"}
)  # fmt: skip
"""Arithmetic on sizes and bounds. Whatever else a file asks for is not computed to read it."""

SAME_NUMBERS = frozenset(
    {"Cast", "CastLike", "Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Tile", "Transpose",
     "Unsqueeze"}
)  # fmt: skip
"""Operators whose result holds the same numbers as their first input, if that holds only one."""

DEEPEST = 100
"""Longer chains of constant nodes are left alone."""


class Known:
    """Evaluates, on demand and once, tensors that depend on small constants and fixed sizes."""

    def __init__(self, model: ir.Model) -> None:
        self._opsets = [
            onnx.helper.make_opsetid(domain, version)
            for domain, version in sorted(model.opset_imports.items())
        ]
        self._found: dict[ir.Value, np.ndarray | None] = {}
        self._known: dict[ir.Value, bool] = {}

    def __call__(self, value: ir.Value | None, depth: int = 0) -> np.ndarray | None:
        """Return the content of `value`, None where it is not known."""
        if value is None:
            return None
        if value not in self._found:
            self._found[value] = self._evaluate(value, depth)
        return self._found[value]

    def scalar(self, value: ir.Value | None) -> float | None:
        """Return the one number that all elements of `value` hold, None where there is none.

        How many elements those are may be open, as in ConstantOfShape(Shape(x)).
        """
        for _ in range(DEEPEST):
            node = value.producer() if value is not None else None
            if node is None or node.op_type not in SAME_NUMBERS or self(value) is not None:
                break
            value = node.inputs[0]
        content = self._filling(value)
        if content is None or content.size == 0 or content.dtype.kind not in "fiub":
            return None
        first = content.flat[0]
        return float(first) if (content == first).all() else None

    def is_known(self, value: ir.Value) -> bool:
        """Tell whether the numbers of `value` are known, how many of them there may be."""
        if value not in self._known:
            self._known[value] = self(value) is not None or self.scalar(value) is not None
        return self._known[value]

    def _filling(self, value: ir.Value | None) -> np.ndarray | None:
        """Return the content of `value`, or what a ConstantOfShape of open size is filled with."""
        node = value.producer() if value is not None else None
        if node is None or node.op_type != "ConstantOfShape":
            return self(value)
        filling = node.attributes.get("value")
        return np.zeros(1, np.float32) if filling is None else filling.as_tensor().numpy()

    def _evaluate(self, value: ir.Value, depth: int) -> np.ndarray | None:
        if value.const_value is not None:
            small = value.const_value.size <= SMALL
            return _content(value.const_value) if small else None
        node = value.producer()
        if node is None or depth > DEEPEST or not is_standard(node, *FOLDED):
            return None
        if node.op_type in ("Shape", "Size"):
            return _size(node)
        if node.op_type == "Gather" and (picked := self._picked_sizes(node, depth)) is not None:
            return picked
        if node.op_type == "DequantizeLinear":
            return self._dequantized(node, depth)
        return self._run(node, value, depth)

    def _dequantized(self, node: ir.Node, depth: int) -> np.ndarray | None:
        """Evaluate DequantizeLinear of one scale, of which the evaluator lacks some versions."""
        number, scale, zero = (
            self(given(node, at), depth + 1) if given(node, at) is not None else np.zeros(1)
            for at in range(3)
        )
        if number is None or scale is None or zero is None or scale.size != 1 or zero.size != 1:
            return None
        wide = number.astype(np.float64) - float(zero.flat[0])
        return (wide * float(scale.flat[0])).astype(scale.dtype)

    def _picked_sizes(self, node: ir.Node, depth: int) -> np.ndarray | None:
        """Evaluate Gather(Shape(x), i), for which only the sizes i must be known."""
        shape, index = node.inputs[0], self(node.inputs[1], depth + 1)
        source = shape.producer() if shape is not None else None
        if source is None or source.op_type != "Shape" or source.attributes or index is None:
            return None
        sizes = source.inputs[0].shape if source.inputs[0] is not None else None
        if sizes is None or (abs(index + 0.5) > len(sizes)).any():
            return None
        picked = [sizes[int(place)] for place in index.flat]
        if not all(isinstance(size, int) for size in picked):
            return None
        return np.array(picked, dtype=np.int64).reshape(index.shape)

    def _run(self, node: ir.Node, value: ir.Value, depth: int) -> np.ndarray | None:
        arrays: dict[str, np.ndarray] = {}
        for item in node.inputs:
            if item is not None:
                array = self(item, depth + 1)
                if array is None:
                    return None
                arrays[item.name or ""] = array
        if not arrays:
            return None
        output = onnx.helper.make_empty_tensor_value_info(value.name or "")
        graph = onnx.helper.make_graph(
            [ir.serde.serialize_node(node)],
            "constant",
            [onnx.helper.make_empty_tensor_value_info(name) for name in arrays],
            [output],
        )
        proto = onnx.helper.make_model(graph, opset_imports=self._opsets)
        try:
            if not _stays_small(proto, arrays):
                return None
            [result] = onnx.reference.ReferenceEvaluator(proto).run(None, arrays)
            return np.asarray(result)
        except UNKNOWN:
            return None


def _stays_small(proto: onnx.ModelProto, arrays: Mapping[str, np.ndarray]) -> bool:
    """Infer, before anything is computed, whether the only result of `proto` is small."""
    described = onnx.ModelProto()
    described.CopyFrom(proto)
    del described.graph.input[:]
    described.graph.initializer.extend(
        onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()
    )
    described = onnx.shape_inference.infer_shapes(described, data_prop=True)
    [output] = described.graph.output
    dims = output.type.tensor_type.shape.dim
    known = output.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims)
    return known and math.prod(dim.dim_value for dim in dims) <= SMALL


def _content(tensor: ir.TensorProtocol) -> np.ndarray | None:
    try:
        return tensor.numpy()
    except (OSError, TypeError, ValueError):
        return None


def _size(node: ir.Node) -> np.ndarray | None:
    """Evaluate Shape or Size of a tensor whose sizes are all fixed."""
    source = node.inputs[0]
    if source is None or source.shape is None:
        return None
    sizes = list(source.shape)
    if node.op_type == "Shape":
        start = node.attributes.get_int("start", 0)
        end = node.attributes.get_int("end", len(sizes))
        sizes = sizes[start:end]
    if not all(isinstance(size, int) for size in sizes):
        return None
    content = np.array(sizes, dtype=np.int64)
    return content if node.op_type == "Shape" else np.array(content.prod(), dtype=np.int64)
