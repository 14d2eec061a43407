"""The reverse walk: from the gradients of outputs to those of tensors before them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import ModuleType

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.errors import NoGradientError
from onnxmem.gradients.operators import Operators
from onnxmem.gradients.path import Path
from onnxmem.gradients.registry import Call, rule_of
from onnxmem.text import printable


@np.errstate(all="ignore")
def walk(
    path: Path,
    tensors: Mapping[str, Array],
    seeds: Mapping[str, Array],
    keep: Collection[str],
    operators: Operators,
) -> dict[str, Array]:
    """Return the gradients of the tensors `keep`.

    Args:
        path: The nodes between those tensors and the outputs.
        tensors: What these nodes read and made in one run.
        seeds: The gradients of the outputs, by name.
        keep: The tensors of interest; the gradients of others are dropped as soon as nothing
            needs them any more.
        operators: Runs what a rule needs.

    Returns:
        An array like the tensor for each name; zeros where nothing arrives.
    """
    xp, found = operators.xp, dict(seeds)
    for step in reversed(path.steps):
        arrived = tuple(found.get(name) for name in step.outputs)
        for name in {*step.outputs} - {*keep}:
            found.pop(name, None)
        rule = rule_of(step.operator)
        if rule is None or not any(gradient is not None and gradient.size for gradient in arrived):
            continue
        call = Call(
            operator=step.operator,
            inputs=tuple(tensors[name] if name else None for name in step.inputs),
            outputs=tuple(tensors[name] if name else None for name in step.outputs),
            gradients=arrived,
            wanted=frozenset(
                at
                for at, name in enumerate(step.inputs)
                if name in path.active and at not in rule.indices and tensors[name].size
            ),
            operators=operators,
        )
        for at, gradient in rule.backward(call).items():
            name = step.inputs[at]
            if tensors[name].dtype.kind != "f":
                raise NoGradientError(
                    f"a gradient arrives at {printable(name)!r}, which holds "
                    f"{tensors[name].dtype}; choose tensors of floating point behind it"
                )
            fitted = fit(gradient, tensors[name])
            found[name] = xp.asarray(found[name] + fitted) if name in found else fitted
    return {name: found[name] if name in found else _zeros(xp, tensors[name]) for name in keep}


def fit(gradient: Array, tensor: Array) -> Array:
    """Return `gradient` in the type of `tensor`, summed over what was broadcast from it."""
    gradient = namespace(tensor).asarray(gradient)
    if gradient.shape != tensor.shape:
        added = gradient.ndim - tensor.ndim
        stretched = [
            axis + added
            for axis, size in enumerate(tensor.shape)
            if size == 1 and gradient.shape[axis + added] != 1
        ]
        axes = (*range(added), *stretched)
        gradient = gradient.sum(axis=axes, dtype=np.float64).reshape(tensor.shape)
    return gradient.astype(tensor.dtype, copy=False)


def _zeros(xp: ModuleType, tensor: Array) -> Array:
    return xp.zeros(tensor.shape, tensor.dtype)
