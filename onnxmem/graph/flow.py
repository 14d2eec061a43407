"""Who reads what: the dependencies of one graph, computed once and used by every cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import onnx_ir as ir

RANDOM_OPS = frozenset(
    {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial",
     "Bernoulli"}
)  # fmt: skip
"""Operators that give something else in every run, so their result must be captured."""


def subgraphs(node: ir.Node) -> Iterator[ir.Graph]:
    """Yield the bodies that `node` holds as attributes (If, Loop, Scan)."""
    for attribute in node.attributes.values():
        if attribute.type == ir.AttributeType.GRAPH:
            yield attribute.as_graph()
        elif attribute.type == ir.AttributeType.GRAPHS:
            yield from attribute.as_graphs()


def reads(node: ir.Node) -> tuple[ir.Value, ...]:
    """Return what `node` reads in its own graph: its inputs and what its bodies capture."""
    values = dict.fromkeys(value for value in node.inputs if value is not None)
    for body in subgraphs(node):
        for inside in body.all_nodes():
            captured = (value for value in inside.inputs if value is not None)
            values.update(dict.fromkeys(v for v in captured if v.graph is node.graph))
    return tuple(values)


def _holds(node: ir.Node, ops: frozenset[str]) -> bool:
    """Tell whether `node`, or a node in one of its bodies, is one of `ops`."""
    inner = (inside for body in subgraphs(node) for inside in body.all_nodes())
    return node.op_type in ops or any(inside.op_type in ops for inside in inner)


@dataclass(frozen=True, eq=False)
class Flow:
    """The dependencies of `graph`, which must not change as long as this lives."""

    graph: ir.Graph

    @cached_property
    def nodes(self) -> tuple[ir.Node, ...]:
        """The nodes in topological order."""
        return tuple(self.graph)

    @cached_property
    def position(self) -> dict[ir.Node, int]:
        """Where each node stands in that order."""
        return {node: place for place, node in enumerate(self.nodes)}

    @cached_property
    def reads(self) -> dict[ir.Node, tuple[ir.Value, ...]]:
        """What each node reads, including what its bodies capture."""
        return {node: reads(node) for node in self.nodes}

    @cached_property
    def values(self) -> dict[str, ir.Value]:
        """The tensors of the graph by name; those inside bodies are not among them."""
        owned = [*self.graph.inputs, *self.graph.initializers.values()]
        owned += [value for node in self.nodes for value in node.outputs]
        return {value.name: value for value in owned if value.name}

    @cached_property
    def varying(self) -> frozenset[ir.Value]:
        """The tensors that a run can change: they depend on an input or on chance."""
        return frozenset(self.downstream(self.graph.inputs, RANDOM_OPS))

    def downstream(
        self, sources: Iterable[ir.Value], ops: frozenset[str] = frozenset()
    ) -> set[ir.Value]:
        """Return `sources`, outputs of nodes that hold one of `ops`, and what depends on them."""
        reached = set(sources)
        for node in self.nodes:
            if (ops and _holds(node, ops)) or any(value in reached for value in self.reads[node]):
                reached.update(node.outputs)
        return reached

    def marked(self, marks: Mapping[ir.Value, int]) -> dict[ir.Value, int]:
        """Carry bit masks back: each tensor gets the bits of all marked tensors it leads to."""
        masks = dict(marks)
        for node in reversed(self.nodes):
            mask = 0
            for output in node.outputs:
                mask |= masks.get(output, 0)
            if mask:
                for value in self.reads[node]:
                    masks[value] = masks.get(value, 0) | mask
        return masks

    def upstream(
        self,
        targets: Iterable[ir.Value],
        stop: set[ir.Value] | frozenset[ir.Value] = frozenset(),
    ) -> tuple[list[ir.Node], list[ir.Value]]:
        """Walk back from `targets`, not past the tensors in `stop`.

        Returns:
            The nodes met, in topological order, and the tensors met that no node makes: those in
            `stop`, inputs and initializers.
        """
        nodes: dict[ir.Node, None] = {}
        ends: dict[ir.Value, None] = {}
        pending = list(targets)
        while pending:
            value = pending.pop()
            node = value.producer()
            if value in stop or node is None:
                ends[value] = None
            elif node not in nodes:
                nodes[node] = None
                pending.extend(self.reads[node])
        return sorted(nodes, key=self.position.__getitem__), list(ends)
