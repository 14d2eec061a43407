"""How far outputs lie apart: of joined parts and the model, of the model and what was recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, to_host
from onnxmem.network.outputs import deviation
from onnxmem.text import printable

RECORDED_TOLERANCE = 1e-3
"""Largest deviation from a recorded output, over its scale: the relative tolerance of ONNX's own
backend tests."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The whole model on one recorded test case.

    Attributes:
        folder: of the test case.
        outputs: how many outputs were compared; sequences and maps are not.
        relative_error: the largest deviation over the scale of the recorded output; None where
            nothing was compared, or where shapes, kinds or non-finite values differ.
        agrees: whether all compared outputs are those that were recorded.
    """

    folder: str
    outputs: int
    relative_error: float | None
    agrees: bool


def agreement(recorded: graph.Recorded, found: Mapping[str, Any]) -> Agreement:
    """Compare the outputs that a model gave with those that were recorded.

    Floats must lie within `RECORDED_TOLERANCE` of the scale (four units in the last place where
    that is coarser), bytes within one, as roundings of quantized networks do; all else is equal.
    """
    names = [name for name in recorded.outputs if name in found]
    pairs = [(recorded.outputs[name], to_host(found[name])) for name in names]
    errors = [_distance(expected, actual) for expected, actual in pairs]
    agrees = all(
        error <= _tolerance(expected) for error, (expected, _) in zip(errors, pairs, strict=True)
    )
    worst = max(errors, default=None)
    finite = worst is not None and math.isfinite(worst)
    return Agreement(str(recorded.path), len(names), worst if finite else None, agrees)


def in_words(agreements: Sequence[Agreement]) -> str:
    """Return whether the model gives what was recorded; an empty string without test cases."""
    if wrong := [one for one in agreements if not one.agrees]:
        error = wrong[0].relative_error
        how = f"by {error:.1e} of their scale" if error is not None else "in shape or in kind"
        name = printable(Path(wrong[0].folder).name)
        return f"the model's outputs differ from those recorded in {name} {how}"
    compared = [one.relative_error for one in agreements if one.relative_error is not None]
    if not compared:
        return "no recorded output could be compared" if agreements else ""
    count = f"{len(compared)} test case{'s' if len(compared) > 1 else ''}"
    return f"the model gives the outputs that were recorded ({count}, within {max(compared):.1e})"


def _distance(expected: np.ndarray, actual: np.ndarray) -> float:
    if expected.dtype.kind == "f" and actual.dtype.kind == "f":
        expected = expected.astype(actual.dtype)
    return difference(actual, expected)


def _tolerance(expected: np.ndarray) -> float:
    if expected.dtype.kind == "f":
        return max(RECORDED_TOLERANCE, 4 * float(np.finfo(expected.dtype).eps))
    if expected.dtype.name in ("int8", "uint8") and expected.size:
        return 1 / max(1, int(np.abs(expected.astype(np.int64)).max()))
    return 0.0


def difference(actual: Array, expected: Array) -> float:
    """Return the deviation of two outputs, tensors or lists of them, of one type."""
    if not hasattr(actual, "dtype") or not hasattr(expected, "dtype"):
        return _difference_of_lists(actual, expected)
    return deviation(actual, expected) if actual.dtype == expected.dtype else math.inf


def _difference_of_lists(actual: Any, expected: Any) -> float:
    if not isinstance(actual, list) or not isinstance(expected, list):
        return 0.0 if actual == expected else math.inf
    if len(actual) != len(expected):
        return math.inf
    return max(map(difference, actual, expected), default=0.0)
