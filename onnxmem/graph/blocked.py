"""Tensors in onnxruntime's blocked layout (NCHWc): their channels are on no axis of their own."""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir as ir

DOMAIN = "com.microsoft.nchwc"


def blocked_values(nodes: Iterable[ir.Node]) -> set[ir.Value]:
    """Return the blocked tensors that `nodes`, in topological order, make.

    Operators of the layout make them, all but ReorderOutput, and so do others of such tensors.
    """
    blocked = set[ir.Value]()
    for node in nodes:
        own = node.domain == DOMAIN
        if node.op_type != "ReorderOutput" and (own or any(v in blocked for v in node.inputs)):
            blocked.update(node.outputs)
    return blocked
