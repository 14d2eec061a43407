"""What an output of a model is: scores, probabilities, labels."""

from __future__ import annotations

import onnx_ir as ir

from onnxmem.errors import UsageError
from onnxmem.graph.ops import LEARNED, producer
from onnxmem.graph.records import Model
from onnxmem.graph.soundness import blames_model

FORMS = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "ArgMax": "labels",
}
SEE_THROUGH = frozenset(
    {"Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Squeeze",
     "Transpose", "Unsqueeze"}
)  # fmt: skip


@blames_model
def output_form(model: Model, output: str) -> str:
    """Tell what the named output of `model` holds, from the operators that end in it.

    Returns:
        "softmax", "log_softmax" or "sigmoid"; "linear" for what weights made directly (logits or
        a regression); "labels" for integers; "other".

    Raises:
        UsageError: There is no such output.
    """
    value = next((v for v in model.ir.graph.outputs if v.name == output), None)
    if value is None:
        names = ", ".join(spec.name for spec in model.outputs)
        raise UsageError(f"{model.path} has no output {output!r}; it has: {names}")
    if value.dtype is not None and value.dtype.is_integer():
        return "labels"
    return _form(value)


def _form(value: ir.Value) -> str:
    node = producer(value)
    while node is not None and node.op_type in SEE_THROUGH and node.inputs[0] is not None:
        node = node.inputs[0].producer()
    if node is None:
        return "other"
    if node.op_type == "Add" and any(item.const_value is not None for item in node.inputs if item):
        sources = [producer(item) for item in node.inputs if item and item.const_value is None]
        node = next((source for source in sources if source is not None), node)
    return FORMS.get(node.op_type, "linear" if node.op_type in LEARNED else "other")
