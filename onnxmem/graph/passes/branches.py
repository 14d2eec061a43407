"""Lift the branch that an If always takes into the graph around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

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
        pending = [node for node in model.graph if _is_if(node)]
        if not pending:
            return ir.passes.PassResult(model, modified=False)
        known, names, lifted = Known(model), Names(model.graph), 0
        while pending:
            node = pending.pop(0)
            condition = known(node.inputs[0])
            if condition is not None and condition.size == 1:
                branch = "then_branch" if bool(condition.item()) else "else_branch"
                inside = _splice(model.graph, node, node.attributes[branch].as_graph(), names)
                pending += [inner for inner in inside if _is_if(inner)]
                lifted += 1
        return ir.passes.PassResult(model, modified=bool(lifted))


def _is_if(node: ir.Node) -> bool:
    return node.op_type == "If" and node.domain in ("", "ai.onnx")


def _splice(graph: ir.Graph, node: ir.Node, branch: ir.Graph, names: Names) -> list[ir.Node]:
    """Put the nodes of `branch` in the place of `node` and return them."""
    return put_in_place(graph, node, branch, identities(branch.outputs), names)


def identities(results: Iterable[ir.Value]) -> list[ir.Node]:
    """Return nodes that hand values on."""
    return [ir.Node("", "Identity", [result]) for result in results]


def put_in_place(
    graph: ir.Graph, node: ir.Node, body: ir.Graph, ends: list[ir.Node], names: Names
) -> list[ir.Node]:
    """Put the nodes of a body of `node`, and `ends` behind them, in its place.

    Args:
        graph: the main graph.
        node: one of its nodes.
        body: what is computed instead.
        ends: for each output of `node` what gives it.
        names: of the graph.

    Returns:
        The nodes of the body.
    """
    names.forget(inner for one in subgraphs(node) for inner in one.all_nodes())
    body.outputs.clear()
    inside = list(body)
    body.remove(inside)
    names.settle(inside)
    for end, output in zip(ends, node.outputs, strict=True):
        result = end.outputs[0]
        result.name, output.name = output.name, f"{output.name}_if"
        result.type, result.shape = output.type, output.shape
        output.replace_all_uses_with(result, replace_graph_outputs=True)
    graph.insert_before(node, [*inside, *ends])
    graph.remove(node, safe=True)
    return inside


class Names:
    """The names of all tensors and nodes of a graph, bodies included, and how often each occurs."""

    def __init__(self, graph: ir.Graph) -> None:
        self.tensors: Counter[str | None] = Counter(
            value.name for value in (*graph.inputs, *graph.initializers.values())
        )
        self.nodes: Counter[str | None] = Counter()
        self._count(graph.all_nodes(), 1)

    def _count(self, nodes: Iterable[ir.Node], step: int) -> None:
        for node in nodes:
            self.nodes[node.name] += step
            for value in node.outputs:
                self.tensors[value.name] += step

    def forget(self, nodes: Iterable[ir.Node]) -> None:
        """Free the names of `nodes` and of their tensors."""
        self._count(nodes, -1)

    def fresh(self, name: str) -> str:
        """Return a name that no tensor has yet, and take it."""
        found = _fresh(name, self.tensors)
        self.tensors[found] += 1
        return found

    def settle(self, nodes: list[ir.Node]) -> None:
        """Give `nodes` and their tensors names that are not taken yet, and take those."""
        for node in nodes:
            if node.name:
                node.name = _fresh(node.name, self.nodes)
            for value in node.outputs:
                if value.name:
                    value.name = _fresh(value.name, self.tensors)
            self._count((node, *(n for body in subgraphs(node) for n in body.all_nodes())), 1)


def _fresh(name: str, taken: Counter[str | None]) -> str:
    fresh, count = name, 1
    while taken[fresh] > 0:
        count += 1
        fresh = f"{name}_{count}"
    return fresh
