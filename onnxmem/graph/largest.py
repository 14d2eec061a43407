"""How large the tensors of a model get."""

from __future__ import annotations

import math

from onnxmem.graph.records import Model


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
