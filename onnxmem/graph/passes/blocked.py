"""Make the ReLUs in onnxruntime's blocked layout (NCHWc) visible in the usual one."""

from __future__ import annotations

import onnx_ir as ir

DOMAIN = "com.microsoft.nchwc"
STEP = 4
POOLS = ("AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "Upsample")


class UnblockActivations(ir.passes.InPlacePass):
    """Pass every activation of a blocked convolution through the usual layout once.

    Requires: constants are initializers. Ensures: such a tensor is read by one node only,
    ReorderOutput, whose result has the layout (N, C, H, W) and is blocked again for all who read
    the tensor before. Both steps together change nothing: what fills blocks up is zero before and
    after.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Insert the pairs."""
        blocked = [
            node
            for node in model.graph
            if node.domain == DOMAIN and node.op_type == "Conv" and "activation" in node.attributes
        ]
        inserted = sum(_insert_pair(model.graph, node) for node in blocked)
        return ir.passes.PassResult(model, modified=bool(inserted))


def _insert_pair(graph: ir.Graph, node: ir.Node) -> bool:
    value, channels = node.outputs[0], _channels(node)
    readers = list(value.uses())
    undone = len(readers) == 1 and readers[0][0].op_type == "ReorderOutput"
    if undone or not readers or channels is None:
        return False
    down = ir.Node(DOMAIN, "ReorderOutput", [value], [ir.AttrInt64("channels", channels)])
    up = ir.Node(DOMAIN, "ReorderInput", [down.outputs[0]])
    down.outputs[0].name = f"{value.name}_unblocked"
    up.outputs[0].name = f"{value.name}_blocked_again"
    for made in (down.outputs[0], up.outputs[0]):
        made.type = ir.TensorType(ir.DataType.FLOAT)
    for reader, at in readers:
        reader.replace_input_with(at, up.outputs[0])
    graph.insert_after(node, [down, up])
    return True


def _channels(node: ir.Node) -> int | None:
    """Return how many channels `node` makes, as told by what follows, or else by its weights.

    onnxruntime blocks multiples of four only; then the filling counts as channels.
    """
    told = _told(node)
    return told if told is not None and told % STEP == 0 else _filters(node)[0]


def _told(node: ir.Node) -> int | None:
    """Return how many channels are taken out of the blocks further on."""
    pending, seen = list(node.outputs[0].consumers()), set()
    while pending:
        reader = pending.pop()
        if reader.op_type == "ReorderOutput":
            return reader.attributes.get_int("channels", None)
        if _keeps_channels(reader) and reader not in seen:
            seen.add(reader)
            pending += reader.outputs[0].consumers()
    return None


def _keeps_channels(node: ir.Node) -> bool:
    """Tell whether each channel that `node` makes comes of one channel that it reads."""
    return node.op_type in POOLS or (node.op_type == "Conv" and _filters(node)[1] == 1)


def _filters(node: ir.Node) -> tuple[int | None, int | None]:
    """Return how many filters a convolution has, and how many channels each of them reads."""
    weights = node.inputs[1]
    if weights is None or weights.shape is None or len(weights.shape) < 2:
        return None, None
    made, read = weights.shape[0], weights.shape[1]
    return made if isinstance(made, int) else None, read if isinstance(read, int) else None
