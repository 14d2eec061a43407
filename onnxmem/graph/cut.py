"""Cut a model at a tensor: which tensors cross, and the model on either side."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from onnxmem.errors import UsageError
from onnxmem.graph.ops import WHOLE_BATCH_OPS
from onnxmem.graph.records import Cut, Model, Part
from onnxmem.graph.soundness import blames_model
from onnxmem.graph.write import build


@blames_model
def split(model: Model, tensor: str, output: str | None = None) -> Cut:
    """Cut `model` at `tensor`.

    A tensor that the tail reads and that neither depends on `tensor` nor can be recomputed from
    constants alone crosses the cut.

    Args:
        model: The model.
        tensor: The name of a tensor outside of bodies.
        output: The only output that the tail shall compute; None: all that depend on `tensor`.

    Raises:
        UsageError: There is no such tensor or output, or the output does not depend on it.
    """
    flow = model.flow
    target = find_tensor(model, tensor)
    after = flow.downstream([target])
    wanted = _outputs(model, target, after, output)
    ends_of_tail = (flow.varying - after) | {target}
    tail_nodes, tail_ends = flow.upstream([v for v in wanted if v is not target], ends_of_tail)
    borders = {value for value in tail_ends if value in ends_of_tail} - {target}
    direct = [value for value in flow.graph.inputs if value in borders]
    crossing = [value for value in flow.values.values() if value in borders - set(direct)]
    head_outputs = [target, *crossing]
    head_nodes, head_ends = flow.upstream(head_outputs)
    head = build(
        model,
        [value for value in flow.graph.inputs if value in set(head_ends)],
        head_outputs,
        head_nodes,
        [value for value in head_ends if value.is_initializer()],
        source=f"the part up to {tensor!r}",
        sizes_of=flow.graph.inputs,
    )
    tail = _tail(model, target, wanted, [*crossing, *direct], tail_nodes, tail_ends)
    return Cut(
        tensor=tensor,
        crossing=tuple(value.name or "" for value in crossing),
        direct=tuple(value.name or "" for value in direct),
        outputs=tuple(value.name or "" for value in wanted),
        head=head,
        tail=tail,
        whole_batch=tuple(sorted({n.op_type for n in tail_nodes} & WHOLE_BATCH_OPS)),
    )


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


def _tail(
    model: Model,
    target: ir.Value,
    wanted: Sequence[ir.Value],
    others: Sequence[ir.Value],
    nodes: Sequence[ir.Node],
    ends: Sequence[ir.Value],
) -> Part:
    outputs, extra = list(wanted), []
    if target in outputs:
        copy = ir.Node("", "Identity", [target])
        result = copy.outputs[0]
        result.name = _fresh(model, f"{target.name}_copy")
        result.type, result.shape = target.type, target.shape
        outputs[outputs.index(target)] = result
        extra = [copy]
    constants = [value for value in ends if value.is_initializer()]
    source = f"the part from {target.name!r} on"
    part = build(model, [target, *others], outputs, [*nodes, *extra], constants, source=source)
    for node in extra:
        node.replace_input_with(0, None)
    return part


def _fresh(model: Model, name: str) -> str:
    while name in model.flow.values:
        name += "_"
    return name


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
