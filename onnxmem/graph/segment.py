"""The part of a model between some of its tensors and a later one, as a model of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnxmem.graph.cut import find_tensor
from onnxmem.graph.records import Model, Part
from onnxmem.graph.soundness import blames_model
from onnxmem.graph.write import build


@dataclass(frozen=True, slots=True)
class Segment:
    """Every node between earlier tensors and a later one.

    Attributes:
        tensor: What it computes.
        reads: Which of the earlier tensors it reads; none of the others changes what it computes.
        direct: The inputs of the model that it reads.
        part: From `reads` and `direct` to `tensor`.
    """

    tensor: str
    reads: tuple[str, ...]
    direct: tuple[str, ...]
    part: Part


@blames_model
def segment(model: Model, earlier: Sequence[str], tensor: str) -> Segment:
    """Return every node of `model` that stands between the tensors `earlier` and `tensor`.

    What depends on inputs and on no earlier tensor belongs to it: a segment is a function of
    earlier tensors and inputs, whatever other ways lead around the last of them.

    Raises:
        UsageError: The model computes no such tensor.
    """
    target = find_tensor(model, tensor)
    known = {find_tensor(model, name) for name in earlier} - {target}
    nodes, ends = model.flow.upstream([target], known)
    reads = [value for value in model.flow.values.values() if value in known and value in set(ends)]
    direct = [value for value in model.flow.graph.inputs if value in set(ends)]
    part = build(
        model,
        [*reads, *direct],
        [target],
        nodes,
        [value for value in ends if value.is_initializer()],
        source=f"the segment up to {tensor!r}",
    )
    return Segment(
        tensor=tensor,
        reads=tuple(value.name or "" for value in reads),
        direct=tuple(value.name or "" for value in direct),
        part=part,
    )
