"""What looks like a ReLU and is none: gates of hand-written activations, and numeric guards."""

from __future__ import annotations

import math
from collections.abc import Iterator

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.kind import Match
from onnxmem.graph.kinds.relu import clip_bounds
from onnxmem.graph.ops import is_standard, producer
from onnxmem.graph.quantized import SCALE_AND_ZERO, constant_term, largest

WRAPPERS = ("Identity", "Cast", "QuantizeLinear", "DequantizeLinear")
SCALERS = ("Mul", "Div")
AFFINE = ("Add", "Sub", "Mul", "Div")
SHAPERS = ("Cast", "Expand", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
DEEPEST = 8

CALIBRATION = 0.02
"""By how much of it a calibrated range may exceed that of the activation."""


def is_gate(match: Match, known: Known) -> bool:
    """Tell whether the match is the clipped part of a HardSigmoid or HardSwish.

    That is so if it clips x + a at 2a, if what it clips is brought from 0..c to 0..1 afterwards,
    or if it multiplies what it was computed from.
    """
    if match.op in SCALE_AND_ZERO:
        return _folds_gate(match, known)
    value, cap = _capped(match, known)
    if cap is None:
        return False
    offset = _offset(match.source, known)
    if offset is not None and math.isclose(2 * offset, cap, rel_tol=1e-3):
        return True
    results = list(_scaled(value, known))
    if cap != 1 and any(math.isclose(cap * scale, 1, rel_tol=1e-3) for _, scale in results):
        return True
    origins = set(_affine_origins(match.source, known))
    return any(_multiplies(result, origins) for result, _ in results)


def _folds_gate(match: Match, known: Known) -> bool:
    """Tell whether a quantiser cuts x + a off at 2a or, as calibrated, at less."""
    dequantizer = producer(match.value)
    quantizer = producer(dequantizer.inputs[0]) if dequantizer is not None else None
    if quantizer is None:
        return False
    cap = largest(quantizer, known)
    offset = constant_term(quantizer, known) or _offset(match.source, known)
    return cap is not None and offset is not None and 0 < cap <= 2 * offset * (1 + CALIBRATION)


def _capped(match: Match, known: Known) -> tuple[ir.Value, float | None]:
    """Return the tensor with its upper bound, which a Min or Clip of its own may set."""
    readers = match.value.consumers()
    if match.cap is not None or len(readers) != 1:
        return match.value, match.cap
    reader = readers[0]
    if is_standard(reader, "Min") and len(reader.inputs) == 2:
        bounds = [known.scalar(item) for item in reader.inputs]
        return reader.outputs[0], next((bound for bound in bounds if bound is not None), None)
    if is_standard(reader, "Clip"):
        return reader.outputs[0], clip_bounds(reader, known)[1]
    return match.value, None


def _offset(source: ir.Value | None, known: Known) -> float | None:
    node = producer(source)
    while is_standard(node, *WRAPPERS) and node is not None:
        node = producer(node.inputs[0])
    if node is None or not is_standard(node, "Add"):
        return None
    return next((s for item in node.inputs if (s := known.scalar(item)) is not None), None)


def _scaled(
    value: ir.Value, known: Known, scale: float = 1.0, depth: int = 0
) -> Iterator[tuple[ir.Value, float]]:
    """Yield `value` and what becomes of it by factors, each with the factor."""
    yield value, scale
    for reader in value.consumers() if depth < DEEPEST else ():
        if is_standard(reader, *WRAPPERS):
            yield from _scaled(reader.outputs[0], known, scale, depth + 1)
        elif is_standard(reader, *SCALERS):
            others = [item for item in reader.inputs if item is not value]
            factor = known.scalar(others[0]) if others else None
            if factor:
                divides = reader.op_type == "Div"
                if not divides or reader.inputs[0] is value:
                    step = 1 / factor if divides else factor
                    yield from _scaled(reader.outputs[0], known, scale * step, depth + 1)


def _affine_origins(source: ir.Value | None, known: Known) -> Iterator[ir.Value]:
    """Yield `source` and what it was made from by adding and multiplying numbers."""
    for _ in range(DEEPEST):
        if source is None:
            return
        yield source
        node = producer(source)
        if node is None:
            return
        if is_standard(node, *WRAPPERS):
            source = node.inputs[0]
        elif is_standard(node, *AFFINE):
            rest = [item for item in node.inputs if known.scalar(item) is None]
            source = rest[0] if len(rest) == 1 else None
        else:
            return


def _multiplies(value: ir.Value, origins: set[ir.Value]) -> bool:
    return any(
        is_standard(reader, "Mul") and any(item in origins for item in reader.inputs)
        for reader in value.consumers()
    )


def is_guard(match: Match, known: Known) -> bool:
    """Tell whether the match only keeps a logarithm, root or quotient from going wrong."""
    return _guards(match.value, known, 0)


def _guards(value: ir.Value, known: Known, depth: int) -> bool:
    for reader in value.consumers() if depth < DEEPEST else ():
        if is_standard(reader, "Log", "Sqrt", "Reciprocal") or _takes_root(reader, value, known):
            return True
        if is_standard(reader, "Div") and reader.inputs[1] is value:
            return True
        shifted = is_standard(reader, "Add", "Mul") and any(
            item is not None and item.const_value is not None for item in reader.inputs
        )
        passed = shifted or is_standard(reader, *SHAPERS)
        if passed and _guards(reader.outputs[0], known, depth + 1):
            return True
    return False


def _takes_root(reader: ir.Node, value: ir.Value, known: Known) -> bool:
    """Tell whether `reader` takes `value` to a power that needs it not to be negative."""
    if not is_standard(reader, "Pow") or reader.inputs[0] is not value:
        return False
    exponent = known.scalar(reader.inputs[1])
    return exponent is None or exponent < 0 or exponent % 1 != 0
