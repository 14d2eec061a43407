"""All activations among some nodes, each found once: the sigmoid inside of a SiLU is none."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.curve import GRID, Curve
from onnxmem.graph.kinds.gated import GLU, products
from onnxmem.graph.kinds.kind import Kind, Match, standard_ops
from onnxmem.graph.kinds.registry import ALL
from onnxmem.graph.kinds.relu import RELU
from onnxmem.graph.kinds.roles import is_score
from onnxmem.graph.kinds.sampling import Reach, pieces
from onnxmem.graph.ops import DEFAULT_DOMAINS
from onnxmem.graph.quantized import SCALE_AND_ZERO, folds_relu

_OF_OPERATOR: dict[str, tuple[Kind, ...]] = {
    op: tuple(kind for kind in ALL if op in standard_ops(kind))
    for op in frozenset[str]().union(*map(standard_ops, ALL))
}
"""The kinds that an operator of the default domain may be; most are none."""


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation that was found.

    Attributes:
        kind: What it is.
        match: Its tensor, and how it was found.
        node: The node that it ends in.
        inside: The other nodes that it is made of.
        factors: The outputs of the activations that it is the product of.
    """

    kind: Kind
    match: Match
    node: ir.Node
    inside: frozenset[ir.Node] = frozenset()
    factors: frozenset[ir.Value] = frozenset()


def activations(nodes: Sequence[ir.Node], known: Known) -> list[Activation]:
    """Return the activations other than ReLUs that end in `nodes`, in that order.

    A gated unit is one, and so are those that it is the product of.
    """
    reach = Reach()
    found = [one for node in nodes if (one := _found(node, known, reach)) is not None]
    inside = set[ir.Node]().union(*(one.inside for one in found))
    found = [one for one in found if one.node not in inside]
    relus = [match for node in nodes if (match := matched(node, RELU, known)) is not None]
    units = (one.match for one in found if one.kind.of_units)
    sources = {match.value: match.source for match in (*relus, *units)}
    taken = inside | {one.node for one in found}
    for unit in products(nodes, sources):
        if unit.node not in taken:
            found.append(Activation(GLU, unit.match, unit.node, factors=unit.factors))
    place = {node: at for at, node in enumerate(nodes)}
    return sorted(found, key=lambda one: place[one.node])


def has_relu(nodes: Sequence[ir.Node], known: Known) -> bool:
    """Tell whether one of `nodes` is a ReLU, or looks like one, and no part of another activation.

    Quantisers that hold nothing negative count where their result is not dequantised yet, too.
    """
    parts = set[ir.Node]().union(*(one.inside for one in activations(nodes, known)))
    for node in nodes:
        match = matched(node, RELU, known)
        if match is None and folds_relu(node, known):
            match = Match(node.outputs[0], node.op_type, None)
        if match is not None and node not in parts and not is_score_without_sign(match):
            return True
    return False


def is_score_without_sign(match: Match) -> bool:
    """Tell whether a match is but a quantiser of scores of which none below zero was seen."""
    return match.op in SCALE_AND_ZERO and is_score(match.value)


def matched(node: ir.Node, kind: Kind, known: Known) -> Match | None:
    """Return what `node` is as an operator of `kind`, None where it is none."""
    if kind not in _possible(node):
        return None
    matches = (pattern(node, known) for pattern in kind.patterns)
    return next((match for match in matches if match is not None), None)


def _possible(node: ir.Node) -> tuple[Kind, ...]:
    return _OF_OPERATOR.get(node.op_type, ()) if node.domain in DEFAULT_DOMAINS else ALL


def _found(node: ir.Node, known: Known, reach: Reach) -> Activation | None:
    """Return the activation that `node` is, or that it is the end of."""
    for kind in _possible(node):
        if kind is not RELU and (match := matched(node, kind, known)) is not None:
            return Activation(kind, match, node)
    for piece in pieces(node, known, reach):
        if not all(curve.is_telling for curve in piece.curves):
            continue
        if (drawn := _kind_of(piece.curves)) is not None:
            match = Match(node.outputs[0], drawn.op, piece.source)
            return Activation(drawn, match, node, piece.inside)
    return None


def _kind_of(curves: Sequence[Curve]) -> Kind | None:
    """Return what all curves are graphs of, None where that is no activation."""
    return _kind_of_values(tuple((curve.y.tobytes(), curve.several) for curve in curves))


@functools.lru_cache(4096)
def _kind_of_values(values: tuple[tuple[bytes, bool], ...]) -> Kind | None:
    curves = [Curve(GRID, np.frombuffer(y), several) for y, several in values]
    fits = (kind for kind in ALL if kind.curve is not None and all(map(kind.curve, curves)))
    return next(fits, None)
