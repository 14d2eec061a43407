"""Find the tensors at which a model can be cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx_ir as ir

from onnxmem.errors import UsageError
from onnxmem.graph.axes import feature_axis
from onnxmem.graph.constants import Known
from onnxmem.graph.flow import subgraphs
from onnxmem.graph.gates import is_gate, is_guard
from onnxmem.graph.ops import LEARNED
from onnxmem.graph.patterns import KINDS, Match, Pattern
from onnxmem.graph.records import Model, Site
from onnxmem.graph.signs import never_negative
from onnxmem.graph.soundness import blames_model
from onnxmem.hazards import see

AMBIGUOUS = ("Clip", "Max", "Where", "Mul")
"""Arithmetic that may well serve something else than an activation."""

BLOCKED_DOMAIN = "com.microsoft.nchwc"


@blames_model
def find_sites(model: Model, kinds: Sequence[str] = ("relu",)) -> tuple[Site, ...]:
    """Return the tensors that are the output of an activation of `kinds`, in topological order.

    Args:
        model: The model.
        kinds: "relu", or others that never go below zero: "sigmoid", "softmax", "softplus",
            "exp", "abs".

    Raises:
        UsageError: There is no such kind.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"no kind of activation {kind!r}; there are: {', '.join(KINDS)}")
    patterns = [pattern for kind in kinds for pattern in KINDS[kind]]
    finder = _Finder(model)
    found = [*finder.in_graph(patterns), *finder.in_bodies(patterns)]
    found.sort(key=lambda pair: pair[0])
    return tuple(
        finder.site(index, match, reason) for index, (_, match, reason) in enumerate(found)
    )


Found = tuple[int, Match, str]
"""Position of the node in the main graph, the match, and why it is unsupported."""


class _Finder:
    """What is computed once per model and asked for every site."""

    def __init__(self, model: Model) -> None:
        self.model, self.flow = model, model.flow
        self.known = Known(model.ir)
        self.outputs = list(dict.fromkeys(model.ir.graph.outputs))
        self.reaches = self.flow.marked({value: 1 << i for i, value in enumerate(self.outputs)})
        learned = [node for node in self.flow.nodes if node.op_type in LEARNED]
        self.feeds = self.flow.marked({v: 1 for node in learned for v in self.flow.reads[node]})

    def in_graph(self, patterns: Sequence[Pattern]) -> Iterator[Found]:
        for node in self.flow.nodes:
            match = self._match(node, patterns)
            if match is not None and match.value in self.flow.varying and self._is_real(match):
                match, reason = _out_of_blocks(match)
                if not reason and not self.reaches.get(match.value):
                    reason = "no output of the model depends on it"
                yield self.flow.position[node], match, reason

    def in_bodies(self, patterns: Sequence[Pattern]) -> Iterator[Found]:
        for owner in self.flow.nodes:
            reason = ""
            for body in subgraphs(owner):
                for node in body.all_nodes():
                    match = self._match(node, patterns)
                    if match is not None and not self._only_looks_like_one(match):
                        reason = reason or self._body_reason(owner)
                        yield self.flow.position[owner], match, reason

    def _match(self, node: ir.Node, patterns: Sequence[Pattern]) -> Match | None:
        matches = (pattern(node, self.known) for pattern in patterns)
        return next((match for match in matches if match is not None), None)

    def _is_real(self, match: Match) -> bool:
        """Tell an activation from arithmetic that merely looks like one."""
        if self._only_looks_like_one(match):
            return False
        return match.op not in AMBIGUOUS or bool(
            self.feeds.get(match.value) and not never_negative(match.source, self.known)
        )

    def _only_looks_like_one(self, match: Match) -> bool:
        if is_float(match.value) is False or is_gate(match, self.known):
            return True
        return match.op in AMBIGUOUS and is_guard(match, self.known)

    def _body_reason(self, owner: ir.Node) -> str:
        where = f"inside a body of {owner.op_type} {owner.name or owner.outputs[0].name!r}"
        if owner.op_type != "If":
            return f"{where}, which runs many times per sample{see('control-flow')}"
        _, ends = self.flow.upstream([value for value in owner.inputs if value is not None])
        names = [value.name for value in ends if value.is_graph_input() and _is_switch(value)]
        if not names:
            return f"{where}, whose condition is not known before it runs{see('control-flow')}"
        choices = " or ".join(map(str, names))
        return (
            f"{where}; fix its condition with --bind NAME=VALUE, where NAME is {choices}"
            f"{see('control-flow')}"
        )

    def site(self, index: int, match: Match, reason: str) -> Site:
        """Describe one match."""
        name = match.value.name or ""
        axis, origin = feature_axis(match.value, self.known)
        mask = self.reaches.get(match.value, 0)
        node = match.value.producer()
        return Site(
            tensor=name,
            op=match.op,
            index=index,
            feature_axis=_from_the_front(axis, match.value),
            axis_from=origin,
            status="unsupported" if reason else "ok",
            reason=reason,
            shape=self.model.shapes.get(name),
            reaches=tuple(v.name or "" for i, v in enumerate(self.outputs) if mask >> i & 1),
            node=node.name or "" if node is not None else "",
        )


def _is_switch(value: ir.Value) -> bool:
    """Tell whether an input may be one number for all samples, rather than their data."""
    return value.shape is None or len(value.shape) < 2


def _from_the_front(axis: int | None, value: ir.Value) -> int | None:
    """Count an axis other than the last one from the front, where the rank is known."""
    if axis is None or axis >= -1 or value.shape is None:
        return axis
    return axis % len(value.shape)


def is_float(value: ir.Value) -> bool | None:
    """Tell whether `value` holds floating-point numbers, None where its type is not known."""
    if value.dtype is None or value.dtype == ir.DataType.UNDEFINED:
        return None
    return bool(value.dtype.is_floating_point())


def _out_of_blocks(match: Match) -> tuple[Match, str]:
    """Move a match in onnxruntime's blocked layout to where the layout is undone."""
    node = match.value.producer()
    if node is None or node.domain != BLOCKED_DOMAIN:
        return match, ""
    readers = match.value.consumers()
    if len(readers) == 1 and readers[0].op_type == "ReorderOutput":
        return Match(readers[0].outputs[0], match.op, match.source, match.cap), ""
    return match, (
        "in onnxruntime's blocked layout (NCHWc); "
        f"analyze the model as it was before onnxruntime optimised it{see('fused')}"
    )
