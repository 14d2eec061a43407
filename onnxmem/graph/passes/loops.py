"""Put the body of a Loop that runs once into the graph around it."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.ops import given, is_standard
from onnxmem.graph.passes.branches import Names, identities, put_in_place

AXES_AS_INPUT = 13
"""The opset from which on Unsqueeze reads its axes."""


class UnrollLoops(ir.passes.InPlacePass):
    """Replace every Loop of the main graph that certainly takes one turn by its body.

    Requires: initializers of bodies have been lifted to the main graph. Ensures: no Loop of the
    main graph has a trip count that is known to be 1, and a condition that is known to hold.
    Tensors keep the names of the Loop's outputs.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Unroll."""
        known = Known(model)
        once = [node for node in model.graph if _runs_once(node, known)]
        if not once:
            return ir.passes.PassResult(model, modified=False)
        names = Names(model.graph)
        for node in once:
            _unroll(model, node, names)
        return ir.passes.PassResult(model, modified=True)


def _runs_once(node: ir.Node, known: Known) -> bool:
    if not is_standard(node, "Loop") or known.scalar(given(node, 0)) != 1:
        return False
    condition = given(node, 1)
    return condition is None or known.scalar(condition) == 1


def _unroll(model: ir.Model, node: ir.Node, names: Names) -> None:
    body = node.attributes["body"].as_graph()
    first = [
        _constant(model.graph, names, "turn", np.array(0)),
        _constant(model.graph, names, "goes_on", np.array(True)),
        *(value for value in node.inputs[2:] if value is not None),
    ]
    before = dict(zip(body.inputs, first, strict=True))
    results = [before.get(value, value) for value in body.outputs[1:]]
    carried = len(first) - 2
    scanned = [_unsqueezed(model, names, value) for value in results[carried:]]
    body.outputs.clear()
    for inside, outside in before.items():
        inside.replace_all_uses_with(outside)
    put_in_place(model.graph, node, body, [*identities(results[:carried]), *scanned], names)


def _unsqueezed(model: ir.Model, names: Names, value: ir.Value) -> ir.Node:
    """Return the node that makes the only turn's result a list of one."""
    if model.opset_imports.get("", 0) < AXES_AS_INPUT:
        return ir.Node("", "Unsqueeze", [value], [ir.AttrInt64s("axes", [0])])
    return ir.Node(
        "", "Unsqueeze", [value, _constant(model.graph, names, "first_axis", np.array([0]))]
    )


def _constant(graph: ir.Graph, names: Names, name: str, array: np.ndarray) -> ir.Value:
    tensor = ir.tensor(array, name=names.fresh(f"loop_{name}"))
    value = ir.Value(
        name=tensor.name,
        type=ir.TensorType(tensor.dtype),
        shape=ir.Shape(array.shape),
        const_value=tensor,
    )
    graph.register_initializer(value)
    return value
