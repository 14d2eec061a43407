"""Compute in single precision what was exported in half."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from onnxmem.graph.inference import infer_types
from onnxmem.graph.model import revise
from onnxmem.graph.records import Model
from onnxmem.graph.soundness import blames_model

HALF = (ir.DataType.FLOAT16, ir.DataType.BFLOAT16)
SINGLE = ir.DataType.FLOAT
TYPE_ATTRIBUTES = ("to", "dtype", "output_dtype", "stash_type")


def is_half(model: Model) -> bool:
    """Tell whether `model` computes in half precision anywhere."""
    return any(value.dtype in HALF for value in model.flow.values.values())


@blames_model
def widen(model: Model) -> Model:
    """Return `model` in float32 where it was in float16 or bfloat16, its inputs included.

    On a CPU half precision is computed in single and rounded in between, so a tensor that was
    captured and fed again differs from the one that was never rounded; in single precision both
    are the same. A model without half precision is returned as it is.
    """
    if not is_half(model):
        return model
    network = model.ir.clone()
    for graph in network.graphs():
        for value in [*graph.inputs, *graph.initializers.values(), *graph.outputs]:
            _widen_value(value)
        for node in graph:
            for value in node.outputs:
                _widen_value(value)
            for name, attribute in list(node.attributes.items()):
                if (wider := _widened_attribute(attribute)) is not None:
                    node.attributes[name] = wider
    infer_types(network)
    return revise(model, network, notes=("half precision widened to float32",))


def _widen_value(value: ir.Value) -> None:
    if value.dtype in HALF and isinstance(value.type, ir.TensorType):
        value.type = ir.TensorType(SINGLE)
    if value.const_value is not None and value.const_value.dtype in HALF:
        value.const_value = _widened(value.const_value)


def _widened(tensor: ir.TensorProtocol) -> ir.TensorProtocol:
    def convert() -> ir.TensorProtocol:
        return ir.tensor(tensor.numpy().astype(np.float32), name=tensor.name)

    return ir.LazyTensor(
        convert, dtype=SINGLE, shape=ir.Shape(tensor.shape.numpy()), name=tensor.name
    )


def _widened_attribute(attribute: ir.Attr) -> ir.Attr | None:
    if attribute.type == ir.AttributeType.INT and attribute.name in TYPE_ATTRIBUTES:
        is_half_type = attribute.value in [int(dtype) for dtype in HALF]
        return ir.AttrInt64(attribute.name, int(SINGLE)) if is_half_type else None
    if attribute.type == ir.AttributeType.TENSOR and attribute.value.dtype in HALF:
        return ir.AttrTensor(attribute.name, _widened(attribute.value))
    return None
