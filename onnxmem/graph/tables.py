"""Inputs whose values are looked up in a table: words, and what else has an embedding."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from onnxmem.graph.ops import given, is_standard, is_weight
from onnxmem.graph.records import Model
from onnxmem.graph.soundness import blames_model

_SAME_VALUES = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Operators that whole numbers go through before they are looked up."""


@blames_model
def looked_up(model: Model) -> dict[str, int]:
    """Return the inputs that are indices of a table, and how many rows the largest of them has."""
    found: dict[str, int] = {}
    for value in model.ir.graph.inputs:
        rows = [_rows(table) for table in _tables(value)]
        if rows and value.name is not None:
            found[value.name] = max(rows)
    return found


def _tables(value: ir.Value) -> Iterator[ir.Value]:
    pending, met = [value], {value}
    while pending:
        one = pending.pop()
        for node in one.consumers():
            table = _table(node, one)
            if table is not None:
                yield table
            elif is_standard(node, *_SAME_VALUES) and node.outputs[0] not in met:
                met.add(node.outputs[0])
                pending.append(node.outputs[0])


def _table(node: ir.Node, indices: ir.Value) -> ir.Value | None:
    """Return the table that `node` looks `indices` up in, None where it does not."""
    if is_standard(node, "Gather") and given(node, 1) is indices:
        first = node.attributes.get_int("axis", 0) == 0
        return node.inputs[0] if first and is_weight(node.inputs[0]) else None
    if node.op_type == "EmbedLayerNormalization" and given(node, 0) is indices:
        return given(node, 2)
    return None


def _rows(table: ir.Value) -> int:
    size = table.shape[0] if table.shape is not None and len(table.shape) else 0
    return size if isinstance(size, int) else 0
