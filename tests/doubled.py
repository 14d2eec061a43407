"""Derivatives to hold gradients against: differences of a network in float64.

onnx's reference evaluator runs it, which shares no code with onnxruntime. Any tensor can be moved,
also those in the middle and those that are weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

class Erf(OpRun):  # type: ignore[misc]
    """As onnx has it, but for its rounding to float32."""

    def _run(self, x: np.ndarray) -> tuple[np.ndarray]:
        return (np.vectorize(math.erf, otypes=[x.dtype])(x),)


class BatchNormalization(OpRun):  # type: ignore[misc]
    """As at inference, whatever the momentum of training is."""

    def _run(
        self, x: np.ndarray, *learned: np.ndarray, epsilon: float = 1e-5, **_: object
    ) -> tuple[np.ndarray]:
        shape = (-1, *[1] * (x.ndim - 2))
        scale, bias, mean, variance = (one.reshape(shape) for one in learned)
        return ((x - mean) / np.sqrt(variance + epsilon) * scale + bias,)


class GlobalMaxPool(OpRun):  # type: ignore[misc]
    """For inputs of any rank."""

    def _run(self, x: np.ndarray) -> tuple[np.ndarray]:
        return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)


MENDED = [BatchNormalization, Erf, GlobalMaxPool]
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)
ZERO = numpy_helper.from_array(np.zeros(1, np.float32))
STEP = 1e-6


def doubled(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model with float64 in place of every other floating point type."""
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    del made.graph.value_info[:]
    for info in (*made.graph.input, *made.graph.output):
        if info.type.tensor_type.elem_type in FLOATS:
            info.type.tensor_type.elem_type = TensorProto.DOUBLE
    for tensor in made.graph.initializer:
        _widen(tensor)
    for node in made.graph.node:
        if node.op_type == "ConstantOfShape" and not node.attribute:
            node.attribute.append(helper.make_attribute("value", ZERO))
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                _widen(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATS:
                attribute.i = TensorProto.DOUBLE
    return made


def _widen(tensor: onnx.TensorProto) -> None:
    if tensor.data_type in FLOATS:
        wide = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


class Movable:
    """A network in float64 of which some tensors can be moved by what is added to them."""

    def __init__(
        self,
        proto: onnx.ModelProto,
        outputs: Sequence[str],
        moved: Sequence[str],
        more: Sequence[type[OpRun]] = (),
    ) -> None:
        """Let the tensors `moved` be moved, and return `outputs`; `more` runs other operators."""
        made = doubled(proto)
        nodes = []
        names = {name: f"{name}__moved" for name in moved}
        from_start = {info.name for info in (*made.graph.input, *made.graph.initializer)}
        nodes += [_addition(name) for name in moved if name in from_start]
        for node in made.graph.node:
            node.input[:] = [names.get(name, name) for name in node.input]
            nodes.append(node)
            nodes += [_addition(name) for name in node.output if name in names]
        infos = [
            helper.make_tensor_value_info(names.get(name, name), TensorProto.DOUBLE, None)
            for name in outputs
        ]
        shifts = [
            helper.make_tensor_value_info(f"{name}__shift", TensorProto.DOUBLE, None)
            for name in moved
        ]
        graph = helper.make_graph(
            nodes, "moved", [*made.graph.input, *shifts], infos, made.graph.initializer
        )
        model = helper.make_model(graph, opset_imports=made.opset_import)
        self.moved = tuple(moved)
        self._evaluator = ReferenceEvaluator(model, new_ops=[*MENDED, *more])

    def run(
        self, feeds: Mapping[str, np.ndarray], shifts: Mapping[str, np.ndarray] = {}
    ) -> list[np.ndarray]:
        """Return the outputs with `shifts` added to tensors."""
        wide = {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in feeds.items()}
        none = dict.fromkeys(self.moved, np.zeros(()))
        given = {f"{name}__shift": shift for name, shift in {**none, **shifts}.items()}
        found: list[np.ndarray] = self._evaluator.run(None, {**wide, **given})
        return found

    def derivative(
        self,
        feeds: Mapping[str, np.ndarray],
        tensor: str,
        direction: np.ndarray,
        seeds: Sequence[np.ndarray],
        step: float = STEP,
    ) -> np.ndarray:
        """Return the derivative of each sample's sum of outputs times seeds (samples,)."""
        shift = direction.astype(np.float64) * step
        ahead, behind = (
            self.run(feeds, {tensor: sign * shift}) for sign in (1, -1)
        )
        return sum(
            ((a - b) * seed).reshape(len(seed), -1).sum(axis=1) / (2 * step)
            for a, b, seed in zip(ahead, behind, seeds, strict=True)
        )


def _addition(name: str) -> onnx.NodeProto:
    return helper.make_node("Add", [name, f"{name}__shift"], [f"{name}__moved"])
