"""Derivatives to hold gradients against: differences of a network, one of its tensors moved.

onnx's reference evaluator runs the network in float64 and shares no code with onnxruntime. What it
does not know, onnxruntime runs in float32, where steps are large and differences coarse, but for
functions that are linear between kinks. Any tensor can be moved, also those in the middle and
those that are weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun


def erf(x: np.ndarray) -> np.ndarray:
    """Return the error function in the precision of `x`."""
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


class Erf(OpRun):  # type: ignore[misc]
    """As onnx has it, but for its rounding to float32."""

    def _run(self, x: np.ndarray) -> tuple[np.ndarray]:
        return (erf(x),)


class Gelu(OpRun):  # type: ignore[misc]
    """With that error function."""

    def _run(self, x: np.ndarray, approximate: str = "none") -> tuple[np.ndarray]:
        if approximate == "tanh":
            inner = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        else:
            inner = erf(x / math.sqrt(2))
        return (0.5 * x * (1 + inner),)


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


MENDED = [BatchNormalization, Erf, Gelu, GlobalMaxPool]
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)
COARSE_STEP = 1e-2
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
    """A network of which some tensors can be moved by what is added to them."""

    def __init__(
        self,
        proto: onnx.ModelProto,
        outputs: Sequence[str],
        moved: Sequence[str],
        *,
        coarse: bool = False,
    ) -> None:
        """Let the tensors `moved` be moved, and return `outputs`; `coarse` takes onnxruntime."""
        made = proto if coarse else doubled(proto)
        self.float = np.float32 if coarse else np.float64
        self.step = COARSE_STEP if coarse else STEP
        self.moved = tuple(moved)
        model = _with_additions(
            made, outputs, moved, TensorProto.FLOAT if coarse else TensorProto.DOUBLE
        )
        if coarse:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            self._run = session.run
        else:
            self._run = ReferenceEvaluator(model, new_ops=MENDED).run

    def run(
        self, feeds: Mapping[str, np.ndarray], shifts: Mapping[str, np.ndarray] = {}
    ) -> list[np.ndarray]:
        """Return the outputs with `shifts` added to tensors."""
        none = {name: np.zeros((), self.float) for name in self.moved}
        given = {f"{name}__shift": shift for name, shift in {**none, **shifts}.items()} | {**feeds}
        fed = {k: v.astype(self.float) if v.dtype.kind == "f" else v for k, v in given.items()}
        found: list[np.ndarray] = self._run(None, fed)
        return found

    def derivative(
        self,
        feeds: Mapping[str, np.ndarray],
        tensor: str,
        direction: np.ndarray,
        seeds: Sequence[np.ndarray],
    ) -> np.ndarray:
        """Return the derivative of each sample's sum of outputs times seeds (samples,)."""
        shift = direction * self.step
        ahead, behind = (self.run(feeds, {tensor: sign * shift}) for sign in (1, -1))
        parts = [  # of samples, or of all as one
            ((a.astype(np.float64) - b) * seed).reshape(len(seed), seed[:1].size).sum(axis=1)
            for a, b, seed in zip(ahead, behind, seeds, strict=True)
        ]
        return np.sum(parts, axis=0) / (2 * self.step)


def _with_additions(
    proto: onnx.ModelProto, outputs: Sequence[str], moved: Sequence[str], element: int
) -> onnx.ModelProto:
    names = {name: f"{name}__moved" for name in moved}
    from_start = {info.name for info in (*proto.graph.input, *proto.graph.initializer)}
    nodes = [_addition(name) for name in moved if name in from_start]
    for node in proto.graph.node:
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        changed.input[:] = [names.get(name, name) for name in node.input]
        nodes += [changed, *(_addition(name) for name in node.output if name in names)]
    graph = helper.make_graph(
        nodes,
        "moved",
        [
            *proto.graph.input,
            *(helper.make_tensor_value_info(f"{name}__shift", element, None) for name in moved),
        ],
        [helper.make_tensor_value_info(names.get(name, name), element, None) for name in outputs],
        proto.graph.initializer,
    )
    return helper.make_model(graph, opset_imports=proto.opset_import, ir_version=proto.ir_version)


def _addition(name: str) -> onnx.NodeProto:
    return helper.make_node("Add", [name, f"{name}__shift"], [f"{name}__moved"])
