"""Name the activations that are no ReLU, as written or as taken apart by an exporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import onnx_ir as ir

from onnxmem.graph.constants import Known
from onnxmem.graph.gates import is_gate
from onnxmem.graph.ops import is_standard, producer
from onnxmem.graph.patterns import Match, clip, fused_activation
from onnxmem.graph.records import Model
from onnxmem.graph.soundness import blames_model

WRITTEN = {
    "Gelu": "GELU", "BiasGelu": "GELU", "FastGelu": "GELU", "QuickGelu": "GELU", "Swish": "SiLU",
    "HardSwish": "HardSwish", "Mish": "Mish", "Elu": "ELU", "Selu": "SELU", "Celu": "CELU",
    "Tanh": "Tanh", "Sigmoid": "Sigmoid", "HardSigmoid": "HardSigmoid", "LeakyRelu": "LeakyReLU",
    "PRelu": "PReLU", "Softplus": "Softplus", "Softsign": "Softsign", "LSTM": "LSTM",
    "DynamicQuantizeLSTM": "LSTM", "GRU": "GRU",
    "ThresholdedRelu": "ThresholdedReLU",
}  # fmt: skip
"""Operators that are activations other than ReLU, and their usual names."""

GATED = {
    "Sigmoid": "SiLU",
    "HardSigmoid": "HardSwish",
    "Clip": "HardSwish",
    "Relu": "HardSwish",
    "Erf": "GELU",
    "Tanh": "GELU",
}
"""What a function times its own input is called."""

ARITHMETIC = ("Add", "Cast", "Div", "Identity", "Mul", "Pow", "Sub", "QuantizeLinear",
              "DequantizeLinear", "Softplus", "Min")  # fmt: skip
DEEPEST = 8


@blames_model
def other_activations(model: Model) -> tuple[tuple[str, int], ...]:
    """Return the activations of `model`, bodies included, that are no ReLU, most frequent first.

    Each is a usual name ("GELU", "SiLU", "HardSwish", "ELU", "Tanh"...) and how often it occurs.
    """
    known, counts = Known(model.ir), Counter[str]()
    for node in model.ir.graph.all_nodes():
        if name := _name(node, known):
            counts[name] += 1
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _name(node: ir.Node, known: Known) -> str | None:
    if fused := fused_activation(node):
        return None if fused in ("Relu", "Clip") else WRITTEN.get(fused, fused)
    if node.op_type in ("Clip", "Relu"):
        match = clip(node, known) or Match(node.outputs[0], node.op_type, node.inputs[0])
        if not is_gate(match, known):
            return None
        return "HardSwish" if _gates_own_input(node, known) else "HardSigmoid"
    if is_standard(node, *GATED) and _gates_own_input(node, known):
        through_softplus = is_standard(producer(node.inputs[0]), "Softplus")
        return "Mish" if through_softplus else GATED[node.op_type]
    if is_standard(node, "Softplus") and _feeds_tanh(node):
        return None
    if _is_flat(node, known):
        return None
    if node.op_type == "QuickGelu" and node.attributes.get_float("alpha", 1.702) == 1:
        return "SiLU"
    return WRITTEN.get(node.op_type)


def _is_flat(node: ir.Node, known: Known) -> bool:
    """Tell whether a leaky operator does not leak: then it is a ReLU."""
    if is_standard(node, "LeakyRelu"):
        return bool(node.attributes.get_float("alpha", 0.01) == 0)
    if is_standard(node, "PRelu"):
        return known.scalar(node.inputs[1]) == 0
    return is_standard(node, "ThresholdedRelu") and node.attributes.get_float("alpha", 1.0) >= 0


def _feeds_tanh(node: ir.Node) -> bool:
    return any(is_standard(reader, "Tanh") for reader in node.outputs[0].consumers())


def _gates_own_input(node: ir.Node, known: Known) -> bool:
    """Tell whether what `node` makes is multiplied, a few steps on, with what it was made from."""
    origins = set(_before(node.inputs[0], DEEPEST))
    return any(
        item in origins
        for result in _after(node.outputs[0], known, DEEPEST)
        for reader in result.consumers()
        if is_standard(reader, "Mul")
        for item in reader.inputs
        if item is not result
    )


def _before(value: ir.Value | None, depth: int) -> Iterator[ir.Value]:
    """Yield what `value` was computed from by plain arithmetic, and what else came of that."""
    if value is None or value.const_value is not None or depth == 0:
        return
    yield value
    for reader in value.consumers():
        if is_standard(reader, "Mul", "Div"):
            yield reader.outputs[0]
    node = producer(value)
    if node is not None and is_standard(node, *ARITHMETIC):
        for source in node.inputs:
            yield from _before(source, depth - 1)


def _after(value: ir.Value, known: Known, depth: int) -> Iterator[ir.Value]:
    """Yield `value` and what becomes of it when numbers are added or multiplied."""
    yield value
    for reader in value.consumers() if depth else ():
        numbers = [item for item in reader.inputs if known.scalar(item) is not None]
        alone = len(reader.inputs) - len(numbers) == 1
        if is_standard(reader, *ARITHMETIC) and alone:
            yield from _after(reader.outputs[0], known, depth - 1)
