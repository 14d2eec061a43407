"""Gradients of weights for each sample, against differences and against each other."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import onnx
import pytest
from doubled import Movable
from hypothesis import given, settings
from onnx import helper
from operator_gradients import HERE, apart, loaded, model_of

from onnxmem.errors import InconclusiveError, UsageError
from onnxmem.gradients import Gradients, find_weights, per_sample

SAMPLES = 4


def check_weight(proto: onnx.ModelProto, x: np.ndarray, *, coarse: bool = False) -> None:
    """Check all forms of the gradient of the weight w: of each sample, norms, sums."""
    made = Gradients(loaded(proto), HERE, ["y"], weights=["w"])
    forward = made.run({"x": x})
    rng = np.random.default_rng(0)
    seed = rng.normal(size=forward.outputs[0].shape).astype(np.float32)
    gradients = forward.backward(seed).weight("w")
    each = gradients.each().astype(np.float64)
    assert each.shape == (SAMPLES, *gradients.weight.shape)
    movable = Movable(proto, ["y"], ["w"], coarse=coarse)
    scale = np.abs(each).max() * np.sqrt(each[0].size)
    for _ in range(3):
        direction = rng.normal(size=each.shape[1:])
        expected = movable.derivative({"x": x}, "w", direction, [seed])
        found = (each * direction).reshape(SAMPLES, -1).sum(axis=1)
        np.testing.assert_allclose(found, expected, atol=(2e-3 if coarse else 2e-5) * scale)
    flat = each.reshape(SAMPLES, -1)
    np.testing.assert_allclose(gradients.squared_norms(), (flat * flat).sum(axis=1), rtol=1e-4)
    coefficients = rng.normal(size=(2, SAMPLES))
    sums = gradients.sums(coefficients)
    np.testing.assert_allclose(sums, np.tensordot(coefficients, each, 1), atol=1e-5 * scale)


def network(nodes: list[onnx.NodeProto], x: np.ndarray, **weights: np.ndarray) -> onnx.ModelProto:
    return model_of(nodes, {"x": x}, ["y"], weights, domains=["com.microsoft"])


def node(op: str, inputs: str, output: str = "y", **attributes: Any) -> onnx.NodeProto:
    domain = "com.microsoft" if op.startswith("Fused") else ""
    return helper.make_node(op, inputs.split(), [output], domain=domain, **attributes)


@pytest.mark.parametrize(
    ("step", "shape", "weight"),
    [
        (node("MatMul", "x w"), (SAMPLES, 5), (5, 3)),
        (node("MatMul", "x w"), (SAMPLES, 6, 5), (5, 3)),
        (node("MatMul", "x w"), (SAMPLES, 2, 3, 5), (5, 3)),
        (node("MatMul", "w x"), (SAMPLES, 5, 2), (3, 5)),
        (node("MatMul", "w x"), (SAMPLES, 2, 5, 2), (3, 5)),
        (node("Gemm", "x w", alpha=0.7), (SAMPLES, 5), (5, 3)),
        (node("Gemm", "x w b", transB=1), (SAMPLES, 5), (3, 5)),
        (node("FusedMatMul", "x w", transB=1, alpha=0.7), (SAMPLES, 6, 5), (3, 5)),
        (node("Conv", "x w"), (SAMPLES, 2, 6), (3, 2, 3)),
        (node("Conv", "x w b", pads=[1, 1, 1, 1]), (SAMPLES, 2, 4, 5), (3, 2, 3, 3)),
        (node("Conv", "x w", strides=[2, 2], dilations=[1, 2]), (SAMPLES, 2, 6, 7), (3, 2, 3, 2)),
        (node("Conv", "x w", group=2, auto_pad="SAME_UPPER"), (SAMPLES, 4, 5, 5), (6, 2, 3, 3)),
        (node("Conv", "x w", group=4), (SAMPLES, 4, 6, 6), (4, 1, 3, 3)),
        (node("Conv", "x w"), (SAMPLES, 2, 4, 4, 4), (3, 2, 2, 2, 2)),
    ],
)
def test_weights_of_products(
    step: onnx.NodeProto, shape: tuple[int, ...], weight: tuple[int, ...]
) -> None:
    x = apart(*shape, gap=0.02)
    proto = network([step], x, w=apart(*weight, seed=1, gap=0.02), b=apart(3, seed=2))
    check_weight(proto, x, coarse=step.op_type != "Conv" or "dilations" in str(step))


@settings(max_examples=30)
@given(positions=st.integers(1, 9), outputs=st.integers(1, 5), inputs=st.integers(1, 5))
def test_norms_are_the_same_by_either_way(positions: int, outputs: int, inputs: int) -> None:
    """By few positions, and by the gradient itself."""
    x = apart(SAMPLES, positions, inputs, gap=0.02)
    proto = network([node("MatMul", "x w")], x, w=apart(inputs, outputs, seed=1))
    check_weight(proto, x, coarse=True)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("MatMul", "x w", "a"), node("Tanh", "a", "b"), node("MatMul", "b w")],
        [node("MatMul", "x w", "a"), node("Tanh", "a", "b"), node("Gemm", "b w", transB=1)],
        [node("MatMul", "x w", "a"), node("Exp", "x", "b"), node("MatMul", "b w", "c"),
         node("Sub", "a c")],
        [node("MatMul", "x w"), node("MatMul", "y w", "unused")],
    ],
)  # fmt: skip
def test_a_weight_that_is_used_twice_gets_the_sum(nodes: list[onnx.NodeProto]) -> None:
    x = apart(SAMPLES, 4, gap=0.05)
    check_weight(network(nodes, x, w=apart(4, 4, seed=1, gap=0.05)), x)


def test_samples_may_be_laid_out_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    x = apart(SAMPLES, 2, 5, 5, gap=0.02)
    proto = network([node("Conv", "x w")], x, w=apart(3, 2, 3, 3, seed=1, gap=0.02))
    monkeypatch.setattr(per_sample, "PIECE", 400)
    check_weight(proto, x)


def test_samples_of_several_images() -> None:
    x = apart(SAMPLES, 2, 2, 5, 5, gap=0.02)
    nodes = [
        node("Reshape", "x images", "a"), node("Conv", "a w", "b"), node("Reshape", "b back"),
    ]  # fmt: skip
    proto = network(
        nodes, x, w=apart(3, 2, 3, 3, seed=1, gap=0.02), images=np.array([-1, 2, 5, 5]),
        back=np.array([SAMPLES, -1]),
    )  # fmt: skip
    check_weight(proto, x)


def test_the_mean_gradient_of_a_group_is_a_sum_with_coefficients() -> None:
    x = apart(SAMPLES, 5, gap=0.05)
    proto = network([node("MatMul", "x w")], x, w=apart(5, 3, seed=1))
    backward = (
        Gradients(loaded(proto), HERE, ["y"], weights=["w"])
        .run({"x": x})
        .backward(apart(SAMPLES, 3, seed=2))
    )
    gradients = backward.weight("w")
    groups = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    means = gradients.sums(groups)
    assert means.dtype == np.float64
    each = gradients.each()
    np.testing.assert_allclose(means[0], each[:2].mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(means[1], each[2:].mean(axis=0), rtol=1e-4)


def test_a_weight_that_mixes_samples_has_no_gradient_of_each() -> None:
    x = apart(SAMPLES, 5)
    nodes = [node("MatMul", "w x", "a"), node("Relu", "a")]
    proto = network(nodes, x, w=np.eye(SAMPLES, dtype=np.float32))
    gradients = Gradients(loaded(proto), HERE, ["y"], weights=["w"]).run({"x": x})
    with pytest.raises(InconclusiveError, match="weight 'w' mixes the samples"):
        gradients.backward(np.ones((SAMPLES, 5), np.float32)).weight("w").squared_norms()


def test_weights_are_found_in_the_order_of_their_use() -> None:
    x = apart(SAMPLES, 2, 4, 4)
    nodes = [
        node("Conv", "x k bias", "a"), node("Relu", "a", "b"), node("Flatten", "b", "c"),
        node("Gemm", "c v bias", "d"), node("MatMul", "d w", "e"), node("Add", "e shared", "f"),
        node("MatMul", "f shared", "g"), node("MatMul", "g g2", "h"), node("Mul", "h bias", "i"),
        node("MatMul", "i w"),
    ]  # fmt: skip
    proto = network(
        nodes, x, k=apart(3, 2, 3, 3), bias=apart(3), v=apart(12, 3), w=apart(3, 3),
        shared=apart(3, 3), g2=apart(3, 3),
    )  # fmt: skip
    found = find_weights(loaded(proto))
    assert [(weight.name, weight.op) for weight in found] == [
        ("k", "Conv"), ("v", "Gemm"), ("w", "MatMul"), ("g2", "MatMul"),
    ]  # fmt: skip
    assert [len(weight.uses) for weight in found] == [1, 1, 2, 1]
    assert found[0].shape == (3, 2, 3, 3)


@pytest.mark.parametrize("name", ["nothing", "b", "x"])
def test_what_is_no_weight_is_wrong_usage(name: str) -> None:
    x = apart(SAMPLES, 5)
    proto = network([node("Gemm", "x w b")], x, w=apart(5, 3), b=apart(3))
    with pytest.raises(UsageError, match=f"no weight '{name}'"):
        Gradients(loaded(proto), HERE, ["y"], weights=[name])


def test_a_weight_that_leads_nowhere_is_wrong_usage() -> None:
    x = apart(SAMPLES, 5)
    nodes = [node("MatMul", "x w", "a"), node("Neg", "x")]
    proto = network(nodes, x, w=apart(5, 3))
    with pytest.raises(UsageError, match="no gradient leads to the weight 'w'"):
        Gradients(loaded(proto), HERE, ["y"], weights=["w"])
