"""A model with factors on some of its tensors, so that units can be switched off."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from onnxmem.graph.cut import find_tensor
from onnxmem.graph.model import revise
from onnxmem.graph.records import Model
from onnxmem.graph.soundness import blames_model


@blames_model
def masked(model: Model, ranks: Mapping[str, int]) -> tuple[Model, dict[str, str]]:
    """Return `model` with a further input for each tensor, which the tensor is multiplied by.

    Args:
        model: The model.
        ranks: How many axes each tensor has, and so its factor.

    Returns:
        The model, and the name of the input by the name of its tensor.

    Raises:
        UsageError: The model computes no such tensor.
    """
    for name in ranks:
        find_tensor(model, name)
    network = model.ir.clone()
    graph = network.graph
    values = {value.name: value for node in graph for value in node.outputs}
    taken, factors = set(model.flow.values), {}
    for name, rank in ranks.items():
        value = values[name]
        node = value.producer()
        assert node is not None
        shape = ir.Shape([None] * rank)
        factor = ir.Value(name=_free("factor", name, taken), type=value.type, shape=shape)
        product = ir.node("Mul", [value, factor], name=_free("times", name, taken))
        (made,) = product.outputs
        made.name, made.type, made.shape = _free("masked", name, taken), value.type, value.shape
        readers = [(use.node, use.idx) for use in value.uses() if use.node is not product]
        graph.insert_after(node, product)
        for reader, at in readers:
            reader.replace_input_with(at, made)
        graph.inputs.append(factor)
        factors[name] = factor.name or ""
    return revise(model, network), factors


def _free(what: str, name: str, taken: set[str]) -> str:
    """Return a name that nothing has yet."""
    found = f"{name}_{what}"
    while found in taken:
        found += "_"
    taken.add(found)
    return found
