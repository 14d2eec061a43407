"""Lift the branch that an If always takes into the graph around it."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.flow import subgraphs


class LiftBranches(ir.passes.InPlacePass):
    """Replace every If of the main graph whose condition is known by the branch it takes.

    Requires: initializers of bodies have been lifted to the main graph. Ensures: no If of the
    main graph has a condition that constants, bound inputs and fixed sizes decide. Tensors keep
    the names of the If's outputs.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Lift, including the Ifs that lifting brings to light."""
        lifted = 0
        while self._lift_one(model):
            lifted += 1
        return ir.passes.PassResult(model, modified=bool(lifted))

    def _lift_one(self, model: ir.Model) -> bool:
        known = Known(model)
        for node in model.graph:
            if node.op_type != "If" or node.domain not in ("", "ai.onnx"):
                continue
            condition = known(node.inputs[0])
            if condition is not None and condition.size == 1:
                name = "then_branch" if bool(condition.item()) else "else_branch"
                _splice(model.graph, node, node.attributes[name].as_graph())
                return True
        return False


def _splice(graph: ir.Graph, node: ir.Node, branch: ir.Graph) -> None:
    results = list(branch.outputs)
    branch.outputs.clear()
    inside = list(branch)
    branch.remove(inside)
    _rename(graph, inside, gone=node)
    copies = [ir.Node("", "Identity", [result]) for result in results]
    for copy, output in zip(copies, node.outputs, strict=True):
        result = copy.outputs[0]
        result.name, output.name = output.name, f"{output.name}_if"
        result.type, result.shape = output.type, output.shape
        output.replace_all_uses_with(result, replace_graph_outputs=True)
    graph.insert_before(node, [*inside, *copies])
    graph.remove(node, safe=True)


def _rename(graph: ir.Graph, nodes: list[ir.Node], gone: ir.Node) -> None:
    """Give `nodes` and their tensors names of their own; the bodies of `gone` do not count."""
    leaving = {inner for body in subgraphs(gone) for inner in body.all_nodes()}
    around = [node for node in graph.all_nodes() if node not in leaving]
    values = [*graph.inputs, *graph.initializers.values()]
    values += [output for node in around for output in node.outputs]
    tensor_names, node_names = (
        {value.name for value in values},
        {node.name for node in around},
    )
    for node in nodes:
        if node.name:
            node.name = _fresh(node.name, node_names)
        for output in node.outputs:
            if output.name:
                output.name = _fresh(output.name, tensor_names)


def _fresh(name: str, taken: set[str | None]) -> str:
    fresh, count = name, 1
    while fresh in taken:
        count += 1
        fresh = f"{name}_{count}"
    taken.add(fresh)
    return fresh
