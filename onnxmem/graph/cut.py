"""Parts of a model: either side of a cut and what crosses it, what computes some tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx_ir as ir

from onnxmem.errors import UsageError
from onnxmem.graph.ops import WHOLE_BATCH_OPS
from onnxmem.graph.records import Cut, Model, Needs, Part, Sides
from onnxmem.graph.soundness import blames_model
from onnxmem.graph.write import build


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the two sides of a cut meet: tensors, and what is behind them."""

    target: ir.Value
    wanted: list[ir.Value]
    crossing: list[ir.Value]
    direct: list[ir.Value]
    nodes: list[ir.Node]
    ends: list[ir.Value]

    def needs(self) -> Needs:
        return Needs(
            crossing=tuple(value.name or "" for value in self.crossing),
            direct=tuple(value.name or "" for value in self.direct),
            whole_batch=tuple(sorted({n.op_type for n in self.nodes} & WHOLE_BATCH_OPS)),
        )


@blames_model
def cut_needs(model: Model, tensor: str, output: str | None = None) -> Needs:
    """Return what a cut at `tensor` needs, without building its parts; see `split`."""
    return _plan(model, tensor, output).needs()


@blames_model
def cut_sides(model: Model, tensor: str, output: str | None = None) -> Sides:
    """Return which nodes lie on either side of a cut, without building its parts; see `split`."""
    plan = _plan(model, tensor, output)
    head, _ = model.flow.upstream([plan.target, *plan.crossing])
    return Sides(plan.needs(), _names(head), _names(plan.nodes))


def _names(nodes: Sequence[ir.Node]) -> frozenset[str]:
    return frozenset(value.name for node in nodes for value in node.outputs if value.name)


@blames_model
def split(model: Model, tensor: str, output: str | None = None) -> Cut:
    """Cut `model` at `tensor`.

    A tensor that the tail reads and that neither depends on `tensor` nor can be recomputed from
    constants alone crosses the cut. Where `tensor` is an output of the model, the tail hands its
    input on.

    Args:
        model: The model.
        tensor: The name of a tensor outside of bodies.
        output: The only output that the tail computes; None: all that depend on `tensor`.

    Raises:
        UsageError: There is no such tensor or output, or the output does not depend on it.
    """
    plan = _plan(model, tensor, output)
    head = _up_to(model, [plan.target, *plan.crossing], f"the part up to {tensor!r}")
    needs = plan.needs()
    tail = build(
        model,
        [plan.target, *plan.crossing, *plan.direct],
        plan.wanted,
        plan.nodes,
        [value for value in plan.ends if value.is_initializer()],
        source=f"the part from {tensor!r} on",
    )
    return Cut(
        tensor=tensor,
        crossing=needs.crossing,
        direct=needs.direct,
        outputs=tuple(value.name or "" for value in plan.wanted),
        head=head,
        tail=tail,
        whole_batch=needs.whole_batch,
    )


@blames_model
def compute(model: Model, tensors: Sequence[str]) -> Part:
    """Return the part of `model` that computes `tensors`, which are its only outputs.

    Raises:
        UsageError: The model has no such tensor.
    """
    return _up_to(model, [find_tensor(model, name) for name in tensors], str(model.path))


def _up_to(model: Model, outputs: Sequence[ir.Value], source: str) -> Part:
    flow = model.flow
    nodes, ends = flow.upstream(outputs)
    return build(
        model,
        [value for value in flow.graph.inputs if value in set(ends)],
        outputs,
        nodes,
        [value for value in ends if value.is_initializer()],
        source=source,
        sizes_of=flow.graph.inputs,
    )


def _plan(model: Model, tensor: str, output: str | None) -> _Plan:
    flow = model.flow
    target = find_tensor(model, tensor)
    after = flow.downstream([target])
    wanted = _outputs(model, target, after, output)
    ends_of_tail = (flow.varying - after) | {target}
    nodes, ends = flow.upstream([v for v in wanted if v is not target], ends_of_tail)
    borders = {value for value in ends if value in ends_of_tail} - {target}
    direct = [value for value in flow.graph.inputs if value in borders]
    crossing = [value for value in flow.values.values() if value in borders - set(direct)]
    return _Plan(target, wanted, crossing, direct, nodes, ends)


def find_tensor(model: Model, tensor: str) -> ir.Value:
    """Return the tensor of that name.

    Raises:
        UsageError: The model has no such tensor that a node makes.
    """
    value = model.flow.values.get(tensor)
    if value is None or value.producer() is None:
        raise UsageError(f"{model.path} computes no tensor {tensor!r}; see: onnxmem inspect")
    return value


def _outputs(
    model: Model, target: ir.Value, after: set[ir.Value], output: str | None
) -> list[ir.Value]:
    outputs = list(model.ir.graph.outputs)
    if output is not None:
        outputs = [value for value in outputs if value.name == output]
        if not outputs:
            names = ", ".join(spec.name for spec in model.outputs)
            raise UsageError(f"{model.path} has no output {output!r}; it has: {names}")
    reached = [value for value in outputs if value in after]
    if not reached:
        which = "no output" if output is None else f"the output {output!r}"
        verb = "depends" if output is None else "does not depend"
        raise UsageError(f"{which} of {model.path} {verb} on tensor {target.name!r}")
    return reached


@blames_model
def expose(model: Model, tensors: Sequence[str]) -> Part:
    """Return the whole model with `tensors` as additional outputs.

    Raises:
        UsageError: The model has no such tensor.
    """
    graph = model.ir.graph
    outputs = dict.fromkeys([*graph.outputs, *(find_tensor(model, name) for name in tensors)])
    return build(
        model,
        list(graph.inputs),
        list(outputs),
        list(graph),
        list(graph.initializers.values()),
        source=str(model.path),
        sizes_of=[*graph.inputs, *outputs],
    )
