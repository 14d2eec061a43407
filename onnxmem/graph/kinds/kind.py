"""What a kind of activation is: its names, whether it goes below zero, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.curve import Curve
from onnxmem.graph.ops import is_standard


@dataclass(frozen=True, slots=True)
class Match:
    """An activation: its output, the operator it was found as, its input, its upper bound."""

    value: ir.Value
    op: str
    source: ir.Value | None
    cap: float | None = None


Pattern = Callable[[ir.Node, Known], Match | None]
"""A spelling: from a node to what it matches, or None."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of activation.

    Attributes:
        name: What it is asked for by: "gelu".
        title: What people call it: "GELU".
        op: The operator that it is called where it was taken apart.
        signed: Whether it can go below zero.
        patterns: The operators that compute it.
        curve: Tells it by the numbers that it gives, where it was taken apart; None: that is not
            looked for.
        of_units: Whether it is the activation function of units wherever it stands, and not as
            often part of something else: attention, a norm.
    """

    name: str
    title: str
    op: str
    signed: bool
    patterns: tuple[Pattern, ...] = ()
    curve: Callable[[Curve], bool] | None = None
    of_units: bool = True


_OPS: dict[Pattern, frozenset[str]] = {}
"""The operators of the default domain that a pattern matches, of those that name them."""

P = TypeVar("P", bound=Pattern)


def of(*ops: str) -> Callable[[P], P]:
    """Mark a pattern that, of the default domain, matches none but these operators."""

    def marked(pattern: P) -> P:
        _OPS[pattern] = frozenset(ops)
        return pattern

    return marked


def standard_ops(kind: Kind) -> frozenset[str]:
    """Return the operators of the default domain that patterns of `kind` may match."""
    return frozenset[str]().union(*(_OPS[pattern] for pattern in kind.patterns))


def operator(*ops: str) -> Pattern:
    """Return the pattern of operators of the default domain that have no other meaning."""

    @of(*ops)
    def pattern(node: ir.Node, known: Known) -> Match | None:
        if not is_standard(node, *ops):
            return None
        return Match(node.outputs[0], node.op_type, node.inputs[0])

    return pattern


def contributed(*ops: str) -> Pattern:
    """Return the pattern of onnxruntime's own operators."""

    @of()
    def pattern(node: ir.Node, known: Known) -> Match | None:
        if node.op_type not in ops or node.domain != "com.microsoft":
            return None
        return Match(node.outputs[0], node.op_type, node.inputs[0])

    return pattern


def fused(name: str) -> Pattern:
    """Return the pattern of what onnxruntime fused into the operator before it."""

    @of()
    def pattern(node: ir.Node, known: Known) -> Match | None:
        if fused_activation(node) != name:
            return None
        return Match(node.outputs[0], node.op_type, None)

    return pattern


def fused_activation(node: ir.Node) -> str | None:
    """Return the activation that onnxruntime fused into `node`, if any."""
    attribute = node.attributes.get("activation")
    if attribute is None or not node.domain.startswith("com.microsoft"):
        return None
    return attribute.as_string() if attribute.type == ir.AttributeType.STRING else None
