"""Which operator has which rule, and what a rule gets to see of a node that ran."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from onnxmem.arrays import Array, to_host
from onnxmem.gradients.operators import Operators
from onnxmem.graph import Operator, Step

ByInput = Mapping[int, Array]
"""The gradient of each input that has one, by position; sizes that were broadcast may be left."""


@dataclass(frozen=True, slots=True)
class Call:
    """A node as it ran, and the gradients of what came out.

    Attributes:
        operator: What it computes.
        inputs, outputs: What it read and made, None where one is left out.
        gradients: Those of the outputs, None where nothing depends on one.
        wanted: The positions of the inputs whose gradients are asked for.
        operators: Runs other operators on the same device.
    """

    operator: Operator
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    gradients: tuple[Array, ...]
    wanted: frozenset[int]
    operators: Operators

    @property
    def x(self) -> Array:
        """The first input."""
        return self.inputs[0]

    @property
    def y(self) -> Array:
        """The first output."""
        return self.outputs[0]

    @property
    def gradient(self) -> Array:
        """The gradient of the first output."""
        return self.gradients[0]

    @property
    def xp(self) -> ModuleType:
        """The array library of the device."""
        return self.operators.xp

    def input(self, at: int) -> Array | None:
        """Return the input at a position, None where it is left out."""
        return self.inputs[at] if at < len(self.inputs) else None

    def attribute(self, name: str, default: Any) -> Any:
        """Return an attribute of the operator."""
        return self.operator.attributes.get(name, default)

    def numbers(self, name: str, at: int) -> tuple[int, ...] | None:
        """Return a list of integers that is an attribute in old versions and an input in new ones.

        None where the node gives neither.
        """
        array = self.input(at)
        if array is not None:
            return tuple(int(number) for number in to_host(array).reshape(-1))
        given = self.attribute(name, None)
        return None if given is None else tuple(given)

    def where(self, mask: Array) -> Array:
        """Return the gradient of the first output where `mask` holds, and 0 elsewhere.

        Its bits are multiplied, not its numbers: infinities leave no NaN behind, and choosing
        between arrays takes several times as long.
        """
        gradient = self.gradient
        bits = gradient.view(f"u{gradient.dtype.itemsize}") * mask
        return bits.view(gradient.dtype)

    def each(self, *parts: Callable[[], Array]) -> ByInput:
        """Compute the gradients of the inputs that are wanted, one part for each input."""
        return {at: part() for at, part in enumerate(parts) if at in self.wanted}


Backward = Callable[[Call], ByInput]
Refusal = Callable[[Step, Collection[str]], str]


def serves_all(step: Step, constants: Collection[str]) -> str:
    """Return no reason to refuse a node."""
    return ""


@dataclass(frozen=True, slots=True)
class Rule:
    """How the gradient goes through an operator.

    Attributes:
        backward: From the gradients of the outputs to those of the inputs.
        inputs: The positions that a gradient can go to, None for all.
        indices: The positions of inputs that only say where and how far: through them goes none.
        outputs: The positions of outputs that a gradient can come from, None for all.
        refuses: Why a node is not served after all, empty where it is. It sees the node and the
            names of all tensors that no run changes.
    """

    backward: Backward
    inputs: frozenset[int] | None = None
    indices: frozenset[int] = frozenset()
    outputs: frozenset[int] | None = frozenset({0})
    refuses: Refusal = serves_all


_RULES: dict[tuple[str, str], Rule] = {}

MICROSOFT, LEARNING = "com.microsoft", "ai.onnx.ml"
"""The operator sets beside ONNX's own."""


def rule(
    *ops: str,
    domain: str = "",
    inputs: Collection[int] | None = (0,),
    indices: Collection[int] = (),
    outputs: Collection[int] | None = (0,),
    refuses: Refusal = serves_all,
) -> Callable[[Backward], Backward]:
    """Register a function as the rule of operators; see `Rule`."""

    def register(backward: Backward) -> Backward:
        made = Rule(
            backward,
            None if inputs is None else frozenset(inputs),
            frozenset(indices),
            None if outputs is None else frozenset(outputs),
            refuses,
        )
        for op in ops:
            assert (domain, op) not in _RULES, op
            _RULES[domain, op] = made
        return backward

    return register


def rule_of(operator: Operator) -> Rule | None:
    """Return the rule of an operator, None where it has none."""
    return _RULES.get((operator.domain, operator.op))


def served() -> tuple[str, ...]:
    """Return the names of all operators that have a rule, each with its domain if it has one."""
    return tuple(sorted(f"{domain}.{op}".lstrip(".") for domain, op in _RULES))
