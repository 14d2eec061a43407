"""Take tensors out of Optional values, where it is known that there is one."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from onnxmem.graph.ops import is_standard


class UnwrapOptionals(ir.passes.InPlacePass):
    """Let what asks for the content of an Optional read that content.

    An input of the model that is an Optional tensor becomes a tensor, since samples are always
    given.

    Requires: constants are initializers. Ensures: where it is known whether an Optional holds
    something, no OptionalGetElement and no OptionalHasElement asks.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Unwrap."""
        count = 0
        for value in model.graph.inputs:
            if isinstance(value.type, ir.OptionalType) and _only_asked(value):
                value.type = value.type.elem_type
                count += _answer(model.graph, value, value)
        for node in list(model.graph.all_nodes()):
            if is_standard(node, "Optional"):
                content = node.inputs[0] if node.inputs else None
                count += _answer(model.graph, node.outputs[0], content)
                _drop_unread(node)
        return ir.passes.PassResult(model, modified=bool(count))


def _drop_unread(node: ir.Node) -> None:
    """Remove a node whose only result nobody reads any more."""
    result = node.outputs[0]
    if node.graph is not None and not result.uses() and not result.is_graph_output():
        node.graph.remove(node, safe=True)


def _only_asked(value: ir.Value) -> bool:
    """Tell whether nothing hands an Optional on."""
    asks = ("OptionalGetElement", "OptionalHasElement")
    return all(is_standard(reader, *asks) for reader in value.consumers())


def _answer(graph: ir.Graph, optional: ir.Value, content: ir.Value | None) -> int:
    """Put what an Optional holds in place of the questions after it; tell how many there were."""
    count = 0
    for reader in list(optional.consumers()):
        if is_standard(reader, "OptionalHasElement"):
            _hand_on(reader, _constant(graph, is_there=content is not None))
        elif is_standard(reader, "OptionalGetElement") and content is not None:
            _hand_on(reader, content)
        else:
            continue
        count += 1
    return count


def _hand_on(node: ir.Node, value: ir.Value) -> None:
    node.op_type = "Identity"
    node.replace_input_with(0, value)
    node.outputs[0].type, node.outputs[0].shape = value.type, value.shape


def _constant(graph: ir.Graph, *, is_there: bool) -> ir.Value:
    """Return the initializer that holds True or False."""
    name = f"optional_holds_something_{is_there}"
    if name not in graph.initializers:
        tensor = ir.tensor(np.array(is_there), name=name)
        graph.register_initializer(
            ir.Value(
                name=name,
                type=ir.TensorType(ir.DataType.BOOL),
                shape=ir.Shape([]),
                const_value=tensor,
            )
        )
    return graph.initializers[name]
