"""Outputs of a model: which one classifies, what scores it holds, how far two are apart."""

from __future__ import annotations

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, namespace
from onnxmem.errors import UsageError
from onnxmem.hazards import see

TOLERANCE = 1e-4
"""Largest deviation of joined parts from the whole model, over the scale of its output."""


def choose_output(model: graph.Model, name: str | None) -> str:
    """Return the output that classifies: the one called `name`, or the only candidate.

    Raises:
        UsageError: there is no output of that name, or several may classify.
    """
    outputs = [spec.name for spec in model.outputs]
    if name is not None:
        if name not in outputs:
            raise UsageError(f"{model.path} has no output {name!r}; it has {', '.join(outputs)}")
        return name
    if len(outputs) == 1:
        return outputs[0]
    scores = [
        spec.name
        for spec in model.outputs
        if graph.output_form(model, spec.name) in ("softmax", "log_softmax", "sigmoid", "linear")
        and (spec.shape is None or len(spec.shape) == 2)
    ]
    if len(scores) != 1:
        raise UsageError(
            f"{model.path} has the outputs {', '.join(outputs)}; "
            f"choose the one that classifies with --output-name{see('outputs')}"
        )
    return scores[0]


def logits(output: Array, form: str) -> Array:
    """Return the scores of the classes before a softmax or sigmoid (samples, classes), float32.

    Where there are several, their mean over the classes is 0 for each sample: a softmax does not
    see it, and so it does not matter whether a network ends with one.

    Args:
        output: (samples, classes, ...) of the output that classifies.
        form: what it holds, see `onnxmem.graph.output_form`.
    """
    xp = namespace(output)
    scores = output.reshape(len(output), -1).astype(xp.float32)
    tiny = float(np.finfo(np.float32).tiny)
    if form == "softmax":
        scores = xp.log(xp.maximum(scores, tiny))
    elif form == "sigmoid":
        scores = xp.log(xp.maximum(scores, tiny)) - xp.log(xp.maximum(1 - scores, tiny))
    return scores - scores.mean(axis=1, keepdims=True) if scores.shape[1] > 1 else scores


def deviation(actual: Array, expected: Array) -> float:
    """Return the largest difference of two outputs over the scale of `expected`.

    Infinities and NaN must stand in the same places; else it is infinite.
    """
    xp = namespace(expected)
    if actual.shape != expected.shape:
        return float("inf")
    if expected.dtype.kind not in "fiu":
        return 0.0 if bool((actual == expected).all()) else float("inf")
    found, wide = actual.astype(xp.float64), expected.astype(xp.float64)
    finite = xp.isfinite(wide)
    odd = ~finite & (found != wide) & ~(xp.isnan(found) & xp.isnan(wide))
    if bool(odd.any()) or not bool(xp.isfinite(found[finite]).all()):
        return float("inf")
    if not bool(finite.any()):
        return 0.0
    scale = max(float(xp.abs(wide[finite]).max()), 1e-30)
    return float(xp.abs(found[finite] - wide[finite]).max()) / scale
