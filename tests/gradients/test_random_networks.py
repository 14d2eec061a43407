"""Whatever a network is made of, its gradients are what differences say."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import onnx
from hypothesis import HealthCheck, assume, given, settings
from onnx import helper
from operator_gradients import apart, check_network, model_of

WIDTH = 4
SMOOTH = ["Tanh", "Sigmoid", "Softplus", "Sin", "Elu", "Softsign", "Identity"]
"""Without kinks: in a random network something may lie near one, where differences are wrong."""

WEIGHTS = {
    "w": apart(WIDTH, WIDTH, gap=0.05), "v": apart(WIDTH, WIDTH, seed=1, gap=0.05),
    "b": apart(WIDTH, seed=2), "kernel": apart(3, 3, 1, 3, seed=3, gap=0.03),
    "scale": np.linspace(0.5, 1.5, WIDTH).astype(np.float32), "axes": np.array([2]),
    "halves": np.array([1, WIDTH - 1]), "back": np.array([0, 0, WIDTH]),
    "picked": np.array([3, 1, 1, 0]),
}  # fmt: skip
"""Of networks whose tensors are all (samples, 3, WIDTH)."""


class Builder:
    """Appends nodes; every piece makes a tensor (samples, 3, WIDTH) of earlier ones."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.nodes: list[onnx.NodeProto] = []
        self.tensors = ["x"]

    def any(self) -> str:
        return self.draw(st.sampled_from(self.tensors))

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: object) -> str:
        names = [f"t{len(self.nodes)}{'abc'[at]}" for at in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names[0]

    def smooth(self, one: str, other: str) -> str:
        return self.node(self.draw(st.sampled_from(SMOOTH)), one)

    def add(self, one: str, other: str) -> str:
        return self.node("Add", one, other)

    def mul(self, one: str, other: str) -> str:
        return self.node("Tanh", self.node("Mul", one, other))

    def centred(self, one: str, other: str) -> str:
        return self.node("Sub", one, self.node("ReduceMean", other, axes=[2]))

    def matmul(self, one: str, other: str) -> str:
        return self.node("MatMul", one, self.draw(st.sampled_from(["w", "v"])))

    def gemm(self, one: str, other: str) -> str:
        flat = self.node("Flatten", one, axis=2)
        made = self.node("Gemm", flat, "w", "b", transB=1, alpha=0.5)
        return self.node("Reshape", made, self.node("Shape", other))

    def normal(self, one: str, other: str) -> str:
        return self.node("LayerNormalization", one, "scale", "b", axis=-1, epsilon=0.1)

    def softmax(self, one: str, other: str) -> str:
        return self.node("Softmax", one, axis=self.draw(st.sampled_from([1, 2])))

    def transposed(self, one: str, other: str) -> str:
        turned = self.node("Transpose", one, perm=[2, 1, 0])
        return self.node("Transpose", self.node("Tanh", turned), perm=[2, 1, 0])

    def gathered(self, one: str, other: str) -> str:
        return self.node("Gather", one, "picked", axis=2)

    def split(self, one: str, other: str) -> str:
        first = self.node("Split", one, "halves", outputs=2, axis=2)
        return self.node("Concat", f"{first[:-1]}b", first, axis=2)

    def convolved(self, one: str, other: str) -> str:
        high = self.node("Unsqueeze", one, "axes")
        return self.node("Squeeze", self.node("Conv", high, "kernel", pads=[0, 1, 0, 1]), "axes")

    def attention(self, one: str, other: str) -> str:
        scores = self.node("MatMul", one, self.node("Transpose", other, perm=[0, 2, 1]))
        return self.node("MatMul", self.node("Softmax", scores, axis=-1), other)


PIECES = [
    Builder.smooth, Builder.add, Builder.mul, Builder.centred, Builder.matmul,
    Builder.gemm, Builder.normal, Builder.softmax, Builder.transposed, Builder.gathered,
    Builder.split, Builder.convolved, Builder.attention,
]  # fmt: skip


@st.composite
def networks(draw: st.DrawFn) -> tuple[onnx.ModelProto, list[str]]:
    """Draw a network and some of its tensors."""
    builder = Builder(draw)
    for piece in draw(st.lists(st.sampled_from(PIECES), min_size=2, max_size=8)):
        builder.tensors.append(piece(builder, builder.any(), builder.any()))
    last = builder.node("Add", builder.tensors[-1], builder.any())
    wrt = draw(st.lists(st.sampled_from(builder.tensors), min_size=1, max_size=3, unique=True))
    leads = ancestors(builder.nodes, last)
    assume(any(name in leads for name in wrt))
    proto = model_of(builder.nodes, {"x": X}, [last], WEIGHTS)
    return proto, [name for name in wrt if name in leads]


def ancestors(nodes: list[onnx.NodeProto], output: str) -> set[str]:
    found = {output}
    for node in reversed(nodes):
        if found & {*node.output} and node.op_type != "Shape":
            found |= {*node.input}
    return found


X = apart(2, 3, WIDTH, gap=0.08)


@settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(drawn=networks())
def test_a_network_of_any_pieces(drawn: tuple[onnx.ModelProto, list[str]]) -> None:
    proto, wrt = drawn
    check_network(proto, {"x": X}, wrt, [proto.graph.output[0].name])
