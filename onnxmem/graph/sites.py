"""Find the tensors at which a model can be cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import onnx_ir as ir

from onnxmem.errors import UsageError
from onnxmem.graph.axes import feature_axis
from onnxmem.graph.blocked import blocked_values
from onnxmem.graph.constants import Known
from onnxmem.graph.flow import subgraphs
from onnxmem.graph.gates import is_gate, is_guard
from onnxmem.graph.kinds.blocks import BLOCK, blocks
from onnxmem.graph.kinds.finding import (
    Activation,
    activations,
    is_score_without_sign,
    matched,
)
from onnxmem.graph.kinds.gated import GLU
from onnxmem.graph.kinds.kind import Kind, Match
from onnxmem.graph.kinds.registry import AUTO, GROUPS, KINDS
from onnxmem.graph.kinds.relu import ENCLOSED, RELU
from onnxmem.graph.kinds.roles import gates_another, is_score
from onnxmem.graph.ops import LEARNED, dequantizes, given
from onnxmem.graph.quantized import RESULT
from onnxmem.graph.records import Model, Site
from onnxmem.graph.signs import never_negative
from onnxmem.graph.soundness import blames_model
from onnxmem.hazards import see

AMBIGUOUS = ("Clip", "Max", "Where", "Mul")
"""Arithmetic that may well serve something else than a ReLU."""


@blames_model
def find_sites(model: Model, kinds: Sequence[str] = ("relu",)) -> tuple[Site, ...]:
    """Return the tensors that are the output of an activation of `kinds`, in topological order.

    None comes twice: what an activation is made of is no site of its own, and where gated units are
    among the kinds, neither are the activations that they are products of.

    Args:
        model: The model.
        kinds: Of `onnxmem.graph.KINDS`, or groups of them: "any", "signed", "nonnegative". Or
            "auto" alone: ReLUs where there are any; else activation functions of units, without
            gates of other tensors and without those that give scores; and where there is none of
            these the outputs of blocks.

    Raises:
        UsageError: There is no such kind.
    """
    finder = _finder(model)
    found = sorted(finder.chosen(kinds), key=lambda one: one.position)
    return tuple(finder.site(index, one) for index, one in enumerate(found))


@blames_model
def other_activations(model: Model, besides: Collection[str] = ()) -> tuple[tuple[str, int], ...]:
    """Return the activations of `model`, bodies included, that are no ReLU, most frequent first.

    Each is a usual name ("GELU", "SiLU", "HardSwish", "ELU", "Tanh"...) and how often it occurs.
    Those of the kinds `besides` are left out.
    """
    kinds = (kind for kind in _finder(model).all_kinds if kind.name not in besides)
    counts = Counter(kind.title for kind in kinds if kind.of_units)
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _names(kinds: Sequence[str]) -> set[str]:
    """Return the names of the kinds, and of those in the groups, that `kinds` lists."""
    names = set[str]()
    for kind in kinds:
        if kind not in KINDS and kind not in GROUPS:
            known = ", ".join((AUTO, *GROUPS, *KINDS))
            raise UsageError(f"no kind of activation {kind!r}; there are: {known}")
        names.update(GROUPS.get(kind, (kind,)))
    return names


@dataclass(frozen=True, slots=True)
class _Found:
    """A match, the position of its node in the main graph, and why it is unsupported.

    `is_factor` tells whether a gated unit is the product of it.
    """

    position: int
    kind: Kind
    match: Match
    reason: str = ""
    is_factor: bool = False


def _finder(model: Model) -> _Finder:
    """Return what was found of a model before, while it lives, or a new finder."""
    if model not in _finders:
        _finders[model] = _Finder(model)
    return _finders[model]


class _Finder:
    """What is computed once per model and asked for every site."""

    def __init__(self, model: Model) -> None:
        self.shapes, self.flow = model.shapes, model.flow
        self.known = Known(model.ir)
        self.outputs = list(dict.fromkeys(model.ir.graph.outputs))
        self.reaches = self.flow.marked({value: 1 << i for i, value in enumerate(self.outputs)})
        learned = [node for node in self.flow.nodes if node.op_type in LEARNED]
        self.feeds = self.flow.marked({v: 1 for node in learned for v in self.flow.reads[node]})

    def chosen(self, kinds: Sequence[str]) -> list[_Found]:
        """Return what there is of `kinds`; see `find_sites`."""
        if tuple(kinds) != (AUTO,):
            return self._named(_names(kinds))
        relus = self._named({RELU.name})
        if not all(is_score_without_sign(one.match) for one in relus):
            return relus
        return (
            self._without_factors([one for one in self._others if self._serves_units(one)])
            or self._blocks()
            or relus
        )

    def _named(self, names: set[str]) -> list[_Found]:
        found = [one for one in self._others if one.kind.name in names]
        if RELU.name in names:
            found = [*self._relus_in_graph(), *self._relus_in_bodies(), *found]
        if BLOCK.name in names:
            found += self._blocks()
        return self._without_factors(found)

    def _without_factors(self, found: list[_Found]) -> list[_Found]:
        """Leave out the activations that gated units among those found are products of."""
        units = any(one.kind is GLU for one in found)
        return [one for one in found if not (units and one.is_factor)]

    def _serves_units(self, found: _Found) -> bool:
        kind, value = found.kind, found.match.value
        gate = not kind.signed and gates_another(value)
        score = value in self.flow.varying and is_score(value)
        return kind.of_units and not gate and not score

    @cached_property
    def _factors(self) -> set[ir.Value]:
        return set[ir.Value]().union(*(one.factors for one in self._activations))

    @cached_property
    def _activations(self) -> list[Activation]:
        return activations(self.flow.nodes, self.known)

    @cached_property
    def all_kinds(self) -> list[Kind]:
        """The kinds of all activations, bodies included, that are no ReLU."""
        nodes = list(self.flow.graph.all_nodes())
        has_bodies = len(nodes) > len(self.flow.nodes)
        found = activations(nodes, self.known) if has_bodies else self._activations
        return [one.kind for one in found]

    @cached_property
    def _others(self) -> list[_Found]:
        """All activations but ReLUs, those inside of bodies last."""
        found = [
            self._cuttable(one.node, one.kind, one.match)
            for one in self._activations
            if one.match.value in self.flow.varying and _as_float(one.match) is not None
        ]
        for owner, nodes in self._bodies():
            found += [
                self._closed(owner, one.kind, one.match) for one in activations(nodes, self.known)
            ]
        return found

    def _bodies(self) -> Iterator[tuple[ir.Node, list[ir.Node]]]:
        """Yield the nodes of each body of a node of the main graph."""
        for owner in self.flow.nodes:
            for body in subgraphs(owner):
                yield owner, list(body.all_nodes())

    def _relus_in_graph(self) -> Iterator[_Found]:
        for node in self.flow.nodes:
            match = matched(node, RELU, self.known)
            if match is not None and match.value in self.flow.varying and self._is_real(match):
                yield self._cuttable(node, RELU, match)

    def _relus_in_bodies(self) -> Iterator[_Found]:
        for owner, nodes in self._bodies():
            for node in nodes:
                match = matched(node, RELU, self.known)
                if match is not None and not self._only_looks_like_one(match):
                    yield self._closed(owner, RELU, match)

    def _blocks(self) -> list[_Found]:
        """Return the outputs of blocks that are not made for an activation."""
        taken = {node for one in self._activations for node in (one.node, *one.inside)}
        taken.update(node for one in self._relus_in_graph() if (node := one.match.value.producer()))
        found = {match.value: (node, match) for node, match in blocks(self.flow, taken)}
        return [
            self._cuttable(node, BLOCK, match)
            for node, match in found.values()
            if node not in taken
        ]

    def _is_real(self, match: Match) -> bool:
        """Tell a ReLU from arithmetic that merely looks like one."""
        if self._only_looks_like_one(match) or self._is_made_into_another(match):
            return False
        return match.op not in AMBIGUOUS or bool(
            self.feeds.get(match.value) and not never_negative(match.source, self.known)
        )

    def _only_looks_like_one(self, match: Match) -> bool:
        if is_gate(match, self.known):
            return True
        if is_float(match.value) is False and not self._cuts_integers(match):
            return True
        return match.op in AMBIGUOUS and is_guard(match, self.known)

    def _cuts_integers(self, match: Match) -> bool:
        """Tell whether a match on integers is a ReLU all the same: a Relu, or one of quantised."""
        dequantized = _as_float(match)
        if dequantized is None:
            return match.op == "Relu"
        node = dequantized.value.producer()
        zero = given(node, 2) if node is not None else None
        return zero is None or self.known.scalar(zero) == 0

    def _is_made_into_another(self, match: Match) -> bool:
        """Tell whether the match is nothing but a part of an activation that was taken apart."""
        readers = match.value.consumers()
        return any(
            match.value.producer() in one.inside
            and all(r in {one.node, *one.inside} for r in readers)
            for one in self._activations
        )

    def _cuttable(self, node: ir.Node, kind: Kind, match: Match) -> _Found:
        """Return a match in the main graph, and what keeps it from being cut there."""
        is_factor = match.value in self._factors
        match, reason = self._out_of_blocks(_as_float(match) or match)
        if not reason and match.op in ENCLOSED:
            reason = f"inside of {match.op}, which is one operator; export its experts one by one"
        if not reason and is_float(match.value) is False:
            reason = "it holds integers that are not dequantized; only floats can be compressed"
        if not reason and not self.reaches.get(match.value):
            reason = "no output of the model depends on it"
        return _Found(self.flow.position[node], kind, match, reason, is_factor)

    def _out_of_blocks(self, match: Match) -> tuple[Match, str]:
        """Move a match in onnxruntime's blocked layout to where the layout is undone."""
        if match.value not in self._blocked:
            return match, ""
        readers = match.value.consumers()
        if len(readers) == 1 and readers[0].op_type == "ReorderOutput":
            return replace(match, value=readers[0].outputs[0]), ""
        return match, (
            "in onnxruntime's blocked layout (NCHWc); "
            f"analyze the model as it was before onnxruntime optimised it{see('fused')}"
        )

    @cached_property
    def _blocked(self) -> set[ir.Value]:
        return blocked_values(self.flow.nodes)

    def _closed(self, owner: ir.Node, kind: Kind, match: Match) -> _Found:
        """Return a match inside of a body of `owner`."""
        where = f"inside a body of {owner.op_type} {owner.name or owner.outputs[0].name!r}"
        return _Found(self.flow.position[owner], kind, match, where + self._way_out(owner))

    def _way_out(self, owner: ir.Node) -> str:
        """Return why a body of `owner` is closed, and what opens it."""
        if owner.op_type != "If":
            return f", which runs many times per sample{see('control-flow')}"
        _, ends = self.flow.upstream([value for value in owner.inputs if value is not None])
        names = [value.name for value in ends if value.is_graph_input() and _is_switch(value)]
        if not names:
            return f", whose condition is not known before it runs{see('control-flow')}"
        choices = " or ".join(map(str, names))
        return (
            f"; fix its condition with --bind NAME=VALUE, where NAME is {choices}"
            f"{see('control-flow')}"
        )

    def site(self, index: int, found: _Found) -> Site:
        """Describe one match."""
        match = found.match
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
            status="unsupported" if found.reason else "ok",
            reason=found.reason,
            shape=self.shapes.get(name),
            reaches=tuple(v.name or "" for i, v in enumerate(self.outputs) if mask >> i & 1),
            node=node.name or "" if node is not None else "",
            kind=found.kind.name,
            signed=found.kind.signed,
        )


_finders: WeakKeyDictionary[Model, _Finder] = WeakKeyDictionary()


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


def _as_float(match: Match) -> Match | None:
    """Return a match where its tensor is float, None where that is nowhere."""
    node = match.value.producer()
    if is_float(match.value) is not False and (node is None or node.op_type not in RESULT):
        return match
    readers = match.value.consumers()
    if len(readers) != 1 or not dequantizes(readers[0]):
        return None
    return replace(match, value=readers[0].outputs[0])
