"""How large the tensors of a model get."""

from __future__ import annotations

import math

import onnx_ir as ir

from onnxmem.graph.records import Model


def largest_fixed(model: Model) -> tuple[str, int]:
    """Return the tensor that a node makes which takes most bytes, and these; free sizes count 1."""
    found = {
        name: math.ceil(math.prod(n for n in shape if isinstance(n, int)) * _bits(value) / 8)
        for name, shape in model.shapes.items()
        if (value := model.flow.values[name]).producer() is not None
    }
    name = max(found, key=found.__getitem__, default="")
    return name, found.get(name, 0)


def _bits(value: ir.Value) -> int:
    """Return the bits of an element, 8 where they are not known."""
    try:
        return value.dtype.bitwidth if value.dtype is not None else 8
    except (TypeError, ValueError):
        return 8


def largest_tensor(model: Model, tail_of: str | None = None) -> int:
    """Return the elements of the largest tensor that `model` computes of one sample.

    Axis 0 counts the samples. Tensors with a size that the graph does not tell are passed over;
    0 where that leaves none.

    Args:
        model: the model.
        tail_of: the name of a tensor; only what depends on it counts then, and the tensor itself.
    """
    flow = model.flow
    values = flow.varying if tail_of is None else flow.downstream([flow.values[tail_of]])
    computed = {value.name for value in values}
    sizes = (
        math.prod(size for size in shape[1:] if isinstance(size, int))
        for name, shape in model.shapes.items()
        if name in computed and all(isinstance(size, int) for size in shape[1:])
    )
    return max(sizes, default=0)
