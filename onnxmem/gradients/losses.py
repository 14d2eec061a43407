"""Losses at an output: their values and gradients, which are what a reverse walk starts from.

Each sample has its own loss, and rows of the gradient belong to samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.errors import UsageError
from onnxmem.gradients.rules.normalization import PER_AXIS
from onnxmem.graph import Model, steps

TINY = 1e-12
"""The least probability that a logarithm is taken of."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of each sample (samples,), and its gradient at the output (samples, classes)."""

    values: Array
    gradient: Array


@np.errstate(all="ignore")
def cross_entropy(output: Array, labels: Array, form: str = "linear") -> Loss:
    """Return the cross entropy of labels.

    Args:
        output: (samples, classes).
        labels: (samples,), whole numbers from 0 to classes - 1.
        form: What the output holds, as `graph.output_form` tells: "linear" for logits, "softmax"
            for probabilities, "log_softmax" for their logarithms, "sigmoid" for probabilities
            that are independent; of two classes it may then have only that of class 1.

    Raises:
        UsageError: The output is no table, a label is no class of it, or the form is another.
    """
    one_column = form == "sigmoid" and output.shape[1:] == (1,)
    chosen = _chosen(output, labels, classes=2)[:, 1:] if one_column else _chosen(output, labels)
    xp = namespace(output)
    if form == "linear":
        shifted = output - output.max(axis=1, keepdims=True)
        odds = xp.exp(shifted)
        total = odds.sum(axis=1, keepdims=True)
        values = xp.log(total)[:, 0] - _picked(shifted, chosen)
        return Loss(values, odds / total - chosen)
    if form == "softmax":
        probability = xp.maximum(_picked(output, chosen), TINY)
        return Loss(-xp.log(probability), -chosen / probability[:, None])
    if form == "log_softmax":
        return Loss(-_picked(output, chosen), -chosen)
    if form == "sigmoid":
        return _independent(output, chosen)
    raise UsageError(f"there is no cross entropy of outputs that are {form!r}")


def _independent(output: Array, chosen: Array) -> Loss:
    """Return the cross entropy of each class against all others, added up."""
    xp = namespace(output)
    true = xp.where(chosen > 0, output, 1 - output)
    probability = xp.maximum(true, TINY)
    values = -xp.log(probability).sum(axis=1)
    return Loss(values, xp.where(chosen > 0, -1, 1).astype(output.dtype) / probability)


@np.errstate(all="ignore")
def margin(output: Array, labels: Array | None = None) -> Loss:
    """Return how far a class is ahead of the best other one.

    Args:
        output: (samples, classes).
        labels: (samples,), the classes; None takes those that the output predicts.

    Raises:
        UsageError: The output is no table of two classes or more, or a label is no class of it.
    """
    if output.ndim != 2 or output.shape[1] < 2:
        raise UsageError(f"margins take an output (samples, classes), not {output.shape}")
    chosen = _chosen(output, output.argmax(axis=1) if labels is None else labels)
    xp = namespace(output)
    others = xp.where(chosen > 0, -xp.inf, output)
    second = _chosen(output, others.argmax(axis=1))
    gradient = chosen - second
    return Loss(_picked(output, gradient), gradient)


def _chosen(output: Array, labels: Array, classes: int | None = None) -> Array:
    """Return 1 at the class of each sample and 0 elsewhere (samples, classes)."""
    if output.ndim != 2 or labels.shape != output.shape[:1]:
        raise UsageError(
            f"labels {labels.shape} do not fit an output {output.shape}; it takes one class for "
            "each sample of (samples, classes)"
        )
    count = classes or output.shape[1]
    chosen = labels[:, None] == namespace(output).arange(count)
    if not bool(chosen.any(axis=1).all()):
        raise UsageError(f"labels are whole numbers from 0 to {count - 1}")
    return chosen.astype(output.dtype)


def _picked(output: Array, chosen: Array) -> Array:
    """Return the sum of each row times what is chosen of it, infinities elsewhere left out."""
    xp = namespace(output)
    return xp.where(chosen == 0, 0, output * chosen).sum(axis=1)


def logits(model: Model, output: str) -> str:
    """Return the tensor of which the output of a classifier is the softmax or its logarithm.

    There the gradient of a cross entropy is exact, where probabilities may have become 0. An
    output that is no softmax over its last axis is returned as it is.
    """
    made = {name: step for step in steps(model) for name in step.outputs}
    name = output
    while (step := made.get(name)) and step.operator.op == "Identity":
        name = step.inputs[0]
    if step is None or step.operator.op not in ("Softmax", "LogSoftmax") or step.operator.domain:
        return output
    last = step.operator.attributes.get("axis", -1 if step.operator.version >= PER_AXIS else 1)
    shape = model.shapes.get(name)
    return step.inputs[0] if last in (-1, 1) and (shape is None or len(shape) == 2) else output
