"""How large the tensors of a model get."""

from __future__ import annotations

import math

from onnxmem.graph.records import Model


def largest_tensor(model: Model) -> int:
    """Return the elements of the largest tensor that `model` computes of one sample.

    Axis 0 counts the samples. Tensors with a size that the graph does not tell are passed over;
    0 where that leaves none.
    """
    computed = {value.name for value in model.flow.varying}
    sizes = (
        math.prod(size for size in shape[1:] if isinstance(size, int))
        for name, shape in model.shapes.items()
        if name in computed and all(isinstance(size, int) for size in shape[1:])
    )
    return max(sizes, default=0)
