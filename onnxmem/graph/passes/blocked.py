"""Make the activations in onnxruntime's blocked layout (NCHWc) visible in the usual one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import onnx_ir as ir

from onnxmem.graph.blocked import DOMAIN, blocked_values
from onnxmem.graph.constants import Known
from onnxmem.graph.kinds.finding import activations, has_relu
from onnxmem.graph.ops import given

STEP = 4
POOLS = ("AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "Upsample")
ELEMENTWISE = ("Add", "Mul", "QuickGelu", "Sigmoid", "Sum", "Tanh")


class UnblockActivations(ir.passes.InPlacePass):
    """Pass every activation of a blocked convolution through the usual layout once.

    Where there is no ReLU at all, do so with other blocked activations, too.

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
        steps: tuple[str, ...] = POOLS
        others = _other_activations(model)
        if others:
            blocked += [node for node in others if node not in blocked]
            steps = (*POOLS, *ELEMENTWISE)
        inserted = sum(_insert_pair(model.graph, node, steps) for node in blocked)
        return ir.passes.PassResult(model, modified=bool(inserted))


def _other_activations(model: ir.Model) -> Sequence[ir.Node]:
    """Return the nodes that end activations in the blocked layout, none where there is a ReLU."""
    nodes, known = tuple(model.graph), Known(model)
    blocked = blocked_values(nodes)
    if not blocked or has_relu(nodes, known):
        return ()
    return [one.node for one in activations(nodes, known) if one.match.value in blocked]


def _insert_pair(graph: ir.Graph, node: ir.Node, steps: Collection[str]) -> bool:
    value, channels = node.outputs[0], _channels(node, steps)
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


def _channels(node: ir.Node, steps: Collection[str]) -> int | None:
    """Return how many channels `node` makes, as told by what follows, or else by its weights.

    onnxruntime blocks multiples of four only; then the filling counts as channels.
    """
    told = _told(node, steps)
    return told if told is not None and told % STEP == 0 else _filters(_convolution(node))[0]


def _convolution(node: ir.Node) -> ir.Node:
    """Return the convolution that makes what `node` computes element by element."""
    while node.domain != DOMAIN and node.inputs[0] is not None:
        before = node.inputs[0].producer()
        if before is None:
            break
        node = before
    return node


def _told(node: ir.Node, steps: Collection[str]) -> int | None:
    """Return how many channels are taken out of the blocks further on."""
    pending, seen = list(node.outputs[0].consumers()), set()
    while pending:
        reader = pending.pop()
        if reader.op_type == "ReorderOutput":
            return reader.attributes.get_int("channels", None)
        if _keeps_channels(reader, steps) and reader not in seen:
            seen.add(reader)
            pending += reader.outputs[0].consumers()
    return None


def _keeps_channels(node: ir.Node, steps: Collection[str]) -> bool:
    """Tell whether each channel that `node` makes comes of one channel that it reads."""
    return node.op_type in steps or (node.op_type == "Conv" and _filters(node)[1] == 1)


def _filters(node: ir.Node) -> tuple[int | None, int | None]:
    """Return how many filters a convolution has, and how many channels each of them reads."""
    weights = given(node, 1)
    if weights is None or weights.shape is None or len(weights.shape) < 2:
        return None, None
    made, read = weights.shape[0], weights.shape[1]
    return made if isinstance(made, int) else None, read if isinstance(read, int) else None
