"""Take operators apart that onnxruntime's optimiser put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from onnxmem.graph.model import revise
from onnxmem.graph.ops import given
from onnxmem.graph.records import Model
from onnxmem.graph.soundness import blames_model

DOMAIN = "com.microsoft"

CLIP_TAKES_INPUTS = 11
"""The opset from which on the bounds of Clip are inputs."""


@blames_model
def unfuse(model: Model) -> Model:
    """Return `model` with plain operators in place of those that onnxruntime's optimiser fused.

    FusedConv, FusedGemm, BiasGelu, FastGelu with a bias, and SkipLayerNormalization become what
    they were made of; their results keep their names. A model without them is returned as it is.
    """
    if not any(_apart(node) for node in model.flow.nodes):
        return model
    network = model.ir.clone()
    for node in list(network.graph):
        if apart := _apart(node):
            pieces = _Pieces(node, network)
            apart(pieces)
            pieces.replace()
    return revise(model, network, notes=("fused operators taken apart",))


class _Pieces:
    """The nodes that take the place of a fused one."""

    def __init__(self, node: ir.Node, network: ir.Model) -> None:
        self.node, self.network = node, network
        self.nodes: list[ir.Node] = []
        self.results: dict[int, ir.Value] = {}

    def add(
        self,
        op: str,
        inputs: Sequence[ir.Value | None],
        attributes: Sequence[ir.Attr] = (),
        *,
        outputs: int = 1,
        domain: str = "",
    ) -> ir.Node:
        """Append a node."""
        place = len(self.nodes)
        node = ir.Node(domain, op, inputs, attributes, num_outputs=outputs)
        node.name = f"{self.node.name or self.node.outputs[0].name}_{op}_{place}"
        for at, value in enumerate(node.outputs):
            value.name = f"{self.node.outputs[0].name}_{op}_{place}_{at}"
            value.type = self.node.outputs[0].type
        self.nodes.append(node)
        return node

    def number(self, value: float) -> ir.Value:
        """Return a new constant."""
        name = f"{self.node.outputs[0].name}_{len(self.network.graph.initializers)}"
        constant = ir.Value(name=name, const_value=ir.tensor(np.float32(value), name=name))
        constant.type, constant.shape = ir.TensorType(ir.DataType.FLOAT), ir.Shape([])
        self.network.graph.register_initializer(constant)
        return constant

    def kept(self, *leave: str) -> list[ir.Attr]:
        """Return the attributes of the fused node but those that begin with one of `leave`."""
        return [a for a in self.node.attributes.values() if not a.name.startswith(leave)]

    def replace(self) -> None:
        """Put the nodes where the fused one is."""
        old = [self.node.outputs[at] for at in self.results]
        new = list(self.results.values())
        ir.convenience.replace_nodes_and_values(
            self.network.graph, self.node, [self.node], self.nodes, old, new
        )


def _apart(node: ir.Node) -> Callable[[_Pieces], None] | None:
    """Return what takes `node` apart, None where it is not fused or nothing does."""
    if node.domain != DOMAIN or node.op_type not in _APART:
        return None
    apart, needs = _APART[node.op_type]
    if any(given(node, at) is None for at in range(needs)) or not node.outputs:
        return None
    if "activation" in node.attributes and _activation(node) is None:
        return None
    if node.op_type.startswith("Skip") and any(v.uses() for v in node.outputs[1:3]):
        return None
    return apart


def _convolution(pieces: _Pieces) -> None:
    node = pieces.node
    made = pieces.add("Conv", node.inputs[:3], pieces.kept("activation")).outputs[0]
    if (added := given(node, 3)) is not None:
        made = pieces.add("Add", [made, added]).outputs[0]
    pieces.results[0] = _activate(pieces, made)


def _gemm(pieces: _Pieces) -> None:
    made = pieces.add("Gemm", pieces.node.inputs, pieces.kept("activation")).outputs[0]
    pieces.results[0] = _activate(pieces, made)


def _gelu(pieces: _Pieces) -> None:
    node = pieces.node
    source = pieces.add("Add", node.inputs[:2]).outputs[0]
    op = "FastGelu" if node.op_type == "FastGelu" else "Gelu"
    pieces.results[0] = pieces.add(op, [source], domain=DOMAIN).outputs[0]


def _skip_normalization(pieces: _Pieces) -> None:
    node = pieces.node
    simplified = node.op_type == "SkipSimplifiedLayerNormalization"
    bias = given(node, 3 if simplified else 4)
    total = pieces.add("Add", node.inputs[:2]).outputs[0]
    if bias is not None:
        total = pieces.add("Add", [total, bias]).outputs[0]
    inputs = [total, *node.inputs[2 : 3 if simplified else 4]]
    op = "SimplifiedLayerNormalization" if simplified else "LayerNormalization"
    normal = pieces.add(op, inputs, [*pieces.kept(), ir.AttrInt64("axis", -1)])
    pieces.results[0] = normal.outputs[0]
    if len(node.outputs) > 3:
        pieces.results[3] = total


_APART: dict[str, tuple[Callable[[_Pieces], None], int]] = {
    "FusedConv": (_convolution, 2),
    "FusedGemm": (_gemm, 2),
    "BiasGelu": (_gelu, 2),
    "FastGelu": (_gelu, 2),
    "SkipLayerNormalization": (_skip_normalization, 3),
    "SkipSimplifiedLayerNormalization": (_skip_normalization, 3),
}
"""What takes each operator apart, and how many inputs it must have for that."""


def _activate(pieces: _Pieces, value: ir.Value) -> ir.Value:
    found = _activation(pieces.node)
    if found is None:
        return value
    op, numbers = found
    version = pieces.network.opset_imports.get("", CLIP_TAKES_INPUTS)
    if op == "Clip" and version >= CLIP_TAKES_INPUTS:
        bounds = [pieces.number(bound) for bound in numbers.values()]
        return pieces.add(op, [value, *bounds]).outputs[0]
    attributes = [ir.AttrFloat32(name, number) for name, number in numbers.items()]
    return pieces.add(op, [value], attributes).outputs[0]


_NUMBERS = {
    "Relu": (),
    "Tanh": (),
    "Sigmoid": (),
    "LeakyRelu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"),
    "Clip": ("min", "max"),
}
"""The numbers that each activation takes, in the order in which FusedConv lists them."""


def _activation(node: ir.Node) -> tuple[str, dict[str, float]] | None:
    """Return the operator that `node` applies at its end, and its numbers, None without one."""
    attribute = node.attributes.get("activation")
    op = attribute.value if attribute is not None else None
    if not isinstance(op, str) or op not in _NUMBERS:
        return None
    listed = node.attributes.get("activation_params")
    alone = [node.attributes.get(f"activation_{name}") for name in ("alpha", "beta")]
    numbers = listed.value if listed is not None else [one.value for one in alone if one]
    return op, dict(zip(_NUMBERS[op], numbers, strict=False))
