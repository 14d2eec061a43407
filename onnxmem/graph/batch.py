"""Free the batch size of a model that was exported for one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.flow import Flow
from onnxmem.graph.inference import infer_types
from onnxmem.graph.model import revise
from onnxmem.graph.ops import WHOLE_BATCH_OPS, is_standard
from onnxmem.graph.records import Model
from onnxmem.graph.soundness import blames_model

BATCH = "batch"


def native_batch(model: Model) -> int | None:
    """Return the batch size that `model` was exported for, None where it takes any.

    That is the first size of its inputs if they agree on it, or else, of those that differ, the
    one that the outputs have as well: an input of another size is common to all samples.
    """
    firsts = {spec.shape[0] for spec in model.inputs if spec.shape}
    sizes = {size for size in firsts if isinstance(size, int)}
    if sizes != firsts:
        return None
    if len(sizes) > 1:
        sizes &= {spec.shape[0] for spec in model.outputs if spec.shape}
    return sizes.pop() if len(sizes) == 1 else None


def free_elsewhere(model: Model) -> tuple[tuple[str, int], ...]:
    """Return the inputs of which another axis than the first is left open, and that axis.

    Where the first axis has a fixed size, that axis may count the samples instead.
    """
    found = []
    for spec in model.inputs:
        sizes = spec.shape or ()
        free = [axis for axis, size in enumerate(sizes) if not isinstance(size, int)]
        if free and free[0] > 0:
            found.append((spec.name, free[0]))
    return tuple(found)


def whole_batch(model: Model) -> tuple[str, ...]:
    """Return the operators of `model` whose result for one sample depends on the whole batch."""
    return tuple(sorted({node.op_type for node in model.ir.graph.all_nodes()} & WHOLE_BATCH_OPS))


@blames_model
def free_batch(model: Model) -> Model:
    """Return `model` with the batch size of its inputs and outputs left open.

    Relabels axis 0 and rewrites the Reshapes that have the batch size as their leading constant.
    This is a guess at what the exporter meant: compare a batch of two with its samples one by
    one before relying on it. A model that takes any batch is returned as it is.
    """
    size = native_batch(model)
    if size is None:
        return model
    network = model.ir.clone()
    flow, known = Flow(network.graph), Known(network)
    for node, target in list(_baked_reshapes(flow, known, size)):
        name = f"{node.outputs[0].name}_shape"
        shape = ir.Value(name=name, const_value=ir.tensor(target, name=name))
        shape.type, shape.shape = (
            ir.TensorType(ir.DataType.INT64),
            ir.Shape(target.shape),
        )
        network.graph.register_initializer(shape)
        node.replace_input_with(1, shape)
    _relabel(network, flow, size)
    infer_types(network)
    return revise(model, network, notes=(f"batch size freed (exported for {size})",))


def _baked_reshapes(flow: Flow, known: Known, size: int) -> Iterator[tuple[ir.Node, np.ndarray]]:
    """Yield the Reshapes that fix the batch size, each with a target that leaves it open."""
    for node in flow.nodes:
        if not is_standard(node, "Reshape") or node.inputs[0] not in flow.varying:
            continue
        target = known(node.inputs[1])
        if target is None or not target.size or target.flat[0] != size:
            continue
        source, result = node.inputs[0].shape, node.outputs[0].shape
        rest = None
        if result is not None and len(result) == target.size:
            rest = list(result)[1:]
        if (target[1:] != -1).all():
            yield node, np.array([-1, *target[1:]], dtype=np.int64)
        elif rest is not None and all(isinstance(dim, int) for dim in rest):
            yield node, np.array([-1, *rest], dtype=np.int64)
        elif source is not None and len(source) and source[0] == size:
            yield node, np.array([0, *target[1:]], dtype=np.int64)


def _relabel(network: ir.Model, flow: Flow, size: int) -> None:
    graph = network.graph
    ends = [*graph.inputs, *graph.outputs]
    for value in flow.varying - set(ends):
        value.shape = None
    for node in graph.all_nodes():
        if node.graph is not graph:
            for value in node.outputs:
                value.shape = None
    for value in ends:
        if value.shape is not None and len(value.shape) and value.shape[0] == size:
            value.shape = ir.Shape([BATCH, *list(value.shape)[1:]])
