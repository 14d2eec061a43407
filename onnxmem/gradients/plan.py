"""What is to be differentiated, found in the graph and checked before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from onnxmem import graph
from onnxmem.errors import NoGradientError, UsageError
from onnxmem.gradients.path import Path, find_path, leading
from onnxmem.gradients.weights import Weight, find_weights, plain
from onnxmem.text import listed, printable


@dataclass(frozen=True, slots=True)
class Plan:
    """The way from tensors and weights of interest to outputs.

    Attributes:
        model: The network without half precision and fused operators.
        outputs: The tensors that are differentiated.
        uses: By its name each weight of interest, and the nodes by which it acts on the outputs.
        keep: The tensors whose gradients are kept: those of interest, and what weights make.
        path: The nodes between.
        constant, varying: The tensors that a walk reads: those that no run changes, and others
            that nodes make.
    """

    model: graph.Model
    outputs: tuple[str, ...]
    uses: Mapping[str, tuple[Weight, tuple[graph.Step, ...]]]
    keep: tuple[str, ...]
    path: Path
    constant: tuple[str, ...]
    varying: tuple[str, ...]


def make_plan(
    model: graph.Model, outputs: Sequence[str], wrt: Sequence[str], weights: Sequence[str]
) -> Plan:
    """Find the way from `wrt` and `weights` to `outputs`; see `Gradients`.

    Raises:
        NoGradientError: Nodes on the way have no gradient; the message names them.
        UsageError: There is no such tensor, or nothing leads from one to an output.
    """
    model = plain(model)
    steps, fixed = graph.steps(model), graph.constants(model)
    inputs = {spec.name for spec in model.inputs}
    made = {name for step in steps for name in step.outputs}
    _require(model, (*outputs, *wrt), (inputs | made) - fixed)
    uses = _uses(model, weights, leading(steps, outputs))
    used = [step for _, readers in uses.values() for step in readers]
    keep = tuple(dict.fromkeys((*wrt, *(step.outputs[0] for step in used))))
    path = find_path(steps, fixed, outputs, keep)
    read = {*outputs, *wrt}
    read.update(name for step in path.steps for name in (*step.inputs, *step.outputs))
    read.update(name for step in used for name in (*step.inputs[:2], *step.outputs))
    read -= {""}
    return Plan(
        model=model,
        outputs=tuple(outputs),
        uses=uses,
        keep=keep,
        path=path,
        constant=tuple(sorted(read & fixed)),
        varying=tuple(sorted(read - fixed - inputs)),
    )


def why_not(
    model: graph.Model,
    outputs: Sequence[str],
    wrt: Sequence[str] = (),
    weights: Sequence[str] = (),
) -> str:
    """Return why there are no such gradients, empty where there are; nothing runs for it."""
    try:
        make_plan(model, outputs, wrt, weights)
    except (NoGradientError, UsageError) as error:
        return str(error)
    return ""


def _require(model: graph.Model, names: Sequence[str], known: Collection[str]) -> None:
    missing = [repr(printable(name)) for name in names if name not in known]
    if missing:
        raise UsageError(f"{model.path} computes no tensor {listed(missing)} of its inputs")


def _uses(
    model: graph.Model, names: Sequence[str], leads: Collection[str]
) -> dict[str, tuple[Weight, tuple[graph.Step, ...]]]:
    """Return the weights of these names, each with its uses that lead to an output."""
    weights = {weight.name: weight for weight in find_weights(model)} if names else {}
    found = {}
    for name in names:
        if name not in weights:
            raise UsageError(
                f"{model.path} has no weight {printable(name)!r} of Conv, Gemm or MatMul alone"
            )
        uses = tuple(step for step in weights[name].uses if step.outputs[0] in leads)
        if not uses:
            raise UsageError(f"no gradient leads to the weight {printable(name)!r}")
        found[name] = (weights[name], uses)
    return found
