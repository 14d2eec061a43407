"""Which nodes lie between tensors and an output, and which of them no gradient passes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from onnxmem.errors import NoGradientError, UsageError
from onnxmem.gradients import rules  # noqa: F401 - registers the rules
from onnxmem.gradients.registry import rule_of
from onnxmem.graph import Step
from onnxmem.text import listed, printable

CONSTANT = frozenset(
    {"And", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "ConstantOfShape", "Equal", "EyeLike",
     "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or",
     "RandomNormalLike", "RandomUniformLike", "Shape", "Size", "Xor"}
)  # fmt: skip
"""Operators whose results, sizes and truths, do not move with small changes of what they read.

Where a mask is made of them, as in x * (x > 0), the derivative is right without them. Rounding and
its like are not among them: what they give is meant to stand for what they read.
"""

BOOL = 9
"""ONNX's number of the element type of truths."""


@dataclass(frozen=True, slots=True)
class Path:
    """What lies between some tensors and the outputs.

    Attributes:
        steps: The nodes, in the order in which they run.
        active: The tensors on the way, by which nodes are reached from the tensors of interest.
    """

    steps: tuple[Step, ...]
    active: frozenset[str]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A node that no gradient passes, and why, where there is more to say than that."""

    step: Step
    reason: str = ""

    def __str__(self) -> str:
        operator = self.step.operator
        name = printable(self.step.name or next(filter(None, self.step.outputs), ""))
        domain = f"{operator.domain}." if operator.domain else ""
        reason = f" ({self.reason})" if self.reason else ""
        return f"{printable(domain + operator.op)} {name!r}{reason}"


def find_path(
    steps: Sequence[Step],
    constants: Collection[str],
    outputs: Collection[str],
    sources: Collection[str],
) -> Path:
    """Return the nodes between `sources` and `outputs`, all of which have a rule.

    Args:
        steps: All nodes of the network.
        constants: The tensors that no run changes.
        outputs: Where gradients come from.
        sources: Where they are to go.

    Raises:
        NoGradientError: The message names the nodes on the way that no gradient passes.
        UsageError: No output depends on a source in a way that has a gradient.
    """
    needed = leading(steps, outputs)
    for name in sources:
        if name not in needed:
            raise UsageError(
                f"{_quoted(outputs)} does not depend on {_quoted([name])} "
                "in a way that has a gradient; choose tensors that lead to it"
            )
    active = _active(steps, sources)
    between = tuple(
        step
        for step in steps
        if not needed.isdisjoint(step.outputs) and not active.isdisjoint(_carriers(step))
    )
    obstacles = [one for step in between if (one := _obstacle(step, needed, active, constants))]
    if obstacles:
        raise NoGradientError(
            f"no gradient of {_quoted(outputs)} passes {listed([str(one) for one in obstacles])}; "
            "choose tensors behind that, or export the network with plain operators in floating "
            "point"
        )
    return Path(between, frozenset(active & needed))


def _quoted(names: Iterable[str]) -> str:
    return listed([repr(printable(name)) for name in names])


def _carriers(step: Step) -> tuple[str, ...]:
    """Return the tensors whose numbers go into the results of a node, rather than say how."""
    operator = step.operator
    if not operator.domain and operator.op in CONSTANT:
        return ()
    if operator.op == "Cast" and operator.attributes.get("to") == BOOL:
        return ()
    found = rule_of(operator)
    if found is None:
        return tuple(filter(None, (*step.inputs, *step.captured)))
    return tuple(name for at, name in enumerate(step.inputs) if name and at not in found.indices)


def leading(steps: Sequence[Step], outputs: Collection[str]) -> set[str]:
    """Return the outputs and the tensors whose numbers go into them."""
    needed = set(outputs)
    for step in reversed(steps):
        if not needed.isdisjoint(step.outputs):
            needed.update(_carriers(step))
    return needed


def _active(steps: Sequence[Step], sources: Collection[str]) -> set[str]:
    """Return the tensors that the numbers of the sources go into, and the sources."""
    active = set(sources)
    for step in steps:
        if not active.isdisjoint(_carriers(step)):
            active.update(filter(None, step.outputs))
    return active


def _obstacle(
    step: Step, needed: set[str], active: set[str], constants: Collection[str]
) -> Obstacle | None:
    found = rule_of(step.operator)
    if found is None:
        return Obstacle(step)
    for at, name in enumerate(step.inputs):
        stops = found.inputs is not None and at not in found.inputs | found.indices
        if stops and name in active:
            return Obstacle(step, f"it has no rule for its input {printable(name)!r}")
    for at, name in enumerate(step.outputs):
        if found.outputs is not None and at not in found.outputs and name in needed:
            return Obstacle(step, f"it has no rule for its output {printable(name)!r}")
    reason = found.refuses(step, constants)
    return Obstacle(step, reason) if reason else None
