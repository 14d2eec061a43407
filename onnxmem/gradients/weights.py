"""The weights of a network: constants that products are taken by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from onnxmem.gradients.registry import MICROSOFT
from onnxmem.graph import Model, Step, constants, steps, unfuse, widen

MATRIX_OPS = frozenset({("", "Gemm"), ("", "MatMul"), (MICROSOFT, "FusedMatMul")})


@dataclass(frozen=True, slots=True)
class Weight:
    """A constant by which a network multiplies.

    Attributes:
        name: Its tensor.
        op: What it is used for: Conv, Gemm, MatMul or FusedMatMul.
        shape: Its sizes.
        uses: The nodes that read it; a network may use a weight more than once.
    """

    name: str
    op: str
    shape: tuple[int, ...]
    uses: tuple[Step, ...]


def plain(model: Model) -> Model:
    """Return `model` as gradients see it: no half precision, no fused operators."""
    return unfuse(widen(model))


def find_weights(model: Model) -> tuple[Weight, ...]:
    """Return the weights of Conv, Gemm and MatMul in `model`, in the order in which they are used.

    Those of Gemm and MatMul are matrices. A tensor that any other operator reads as well is left
    out, since the products alone do not make up its gradient.
    """
    model = plain(model)
    fixed = constants(model)
    uses: dict[str, list[Step]] = {}
    elsewhere: set[str] = set()
    for step in steps(model):
        at = weight_at(step, fixed)
        for place, name in enumerate(step.inputs):
            if place == at:
                uses.setdefault(name, []).append(step)
            else:
                elsewhere.add(name)
        elsewhere.update(step.captured)
    return tuple(
        Weight(name, readers[0].operator.op, shape, tuple(readers))
        for name, readers in uses.items()
        if name not in elsewhere
        and (shape := _sizes(model, name))
        and (len(shape) == 2) == all(step.operator.op != "Conv" for step in readers)
    )


def _sizes(model: Model, name: str) -> tuple[int, ...]:
    """Return the sizes of a tensor, nothing where one is not known or it is no matrix."""
    sizes = model.shapes.get(name, ())
    known = tuple(size for size in sizes if isinstance(size, int))
    return known if len(known) == len(sizes) >= 2 else ()


def weight_at(step: Step, fixed: Collection[str]) -> int | None:
    """Return which input of a node is a weight, given the tensors that no run changes."""
    operator = step.operator
    constant = [name in fixed for name in step.inputs[:2]]
    if (operator.domain, operator.op) == ("", "Conv"):
        return 1 if constant == [False, True] else None
    if (operator.domain, operator.op) not in MATRIX_OPS:
        return None
    if constant == [False, True] and not operator.attributes.get("transA", 0):
        return 1
    return 0 if constant == [True, False] and operator.op == "MatMul" else None
