"""What onnxruntime fused comes apart into operators that compute the same."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph

FUSED = {
    "FusedConv": (
        "(float[N,2,5,5] x) => (float[N,3,3,3] y) {{ y = com.microsoft.FusedConv<{}>(x, k, b) }}",
        (2, 2, 5, 5), {"k": (3, 2, 3, 3), "b": (3,)}),
    "FusedConv with a sum": (
        "(float[N,2,5,5] x, float[N,3,3,3] z) => (float[N,3,3,3] y) "
        "{{ y = com.microsoft.FusedConv<{}>(x, k, b, z) }}",
        (2, 2, 5, 5), {"k": (3, 2, 3, 3), "b": (3,)}),
    "FusedGemm": (
        "(float[N,4] x) => (float[N,3] y) "
        "{{ y = com.microsoft.FusedGemm<alpha = 0.5, transB = 1, {}>(x, w, b) }}",
        (3, 4), {"w": (3, 4), "b": (3,)}),
}  # fmt: skip
ENDS = {
    "Relu": ("", ""),
    "Tanh": ("", ""),
    "Sigmoid": ("", ""),
    "LeakyRelu": ("[0.3]", "activation_alpha = 0.3"),
    "HardSigmoid": ("[0.3, 0.4]", "activation_alpha = 0.3, activation_beta = 0.4"),
    "Clip": ("[-0.2, 0.3]", None),
}


def same(model: graph.Model, feeds: dict[str, np.ndarray], run) -> graph.Model:
    """Check that a model computes the same when it is taken apart; return that."""
    apart = graph.unfuse(model)
    whole, parts = (run(graph.expose(one, []), feeds) for one in (model, apart))
    assert whole.keys() == parts.keys()
    for name, array in whole.items():
        np.testing.assert_allclose(parts[name], array, rtol=1e-4, atol=1e-5)
    return apart


def operators(model: graph.Model) -> list[str]:
    return [step.operator.op for step in graph.steps(model)]


@pytest.mark.parametrize("what", FUSED)
@pytest.mark.parametrize("end", ENDS)
def test_activations_come_off(what: str, end: str, network, run, draw) -> None:
    text, shape, weights = FUSED[what]
    of_conv, of_gemm = ENDS[end]
    numbers = of_gemm if "Gemm" in what else of_conv and f"activation_params = {of_conv}"
    if numbers is None:
        pytest.skip("FusedGemm has no Clip")
    attributes = ", ".join(filter(None, [f'activation = "{end}"', numbers]))
    path = network(text.format(attributes), domains={"com.microsoft": 1}, **weights)
    feeds = {"x": draw(*shape), "z": draw(2, 3, 3, 3)}
    model = graph.load(path)
    apart = same(model, {spec.name: feeds[spec.name] for spec in model.inputs}, run)
    assert operators(apart)[-1] == end
    assert [spec.name for spec in apart.outputs] == ["y"]


@pytest.mark.parametrize("opset", [10, 17])
def test_bounds_of_clip_are_attributes_in_old_versions(opset: int, network, run, draw) -> None:
    text = FUSED["FusedConv"][0].format('activation = "Clip", activation_params = [0.0, 0.5]')
    path = network(text, opset=opset, domains={"com.microsoft": 1}, k=(3, 2, 3, 3), b=(3,))
    same(graph.load(path), {"x": draw(2, 2, 5, 5)}, run)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("t = com.microsoft.BiasGelu(x, b)", ["Add", "Gelu"]),
        ("t = com.microsoft.FastGelu(x, b)", ["Add", "FastGelu"]),
        ("t, m, v = com.microsoft.SkipLayerNormalization<epsilon = 0.01>(x, x, g, b, c)",
         ["Add", "Add", "LayerNormalization"]),
        ("a, m, v, s = com.microsoft.SkipLayerNormalization(x, x, g)  t = Add(a, s)",
         ["Add", "LayerNormalization", "Add"]),
        ("t, m, v, s = com.microsoft.SkipSimplifiedLayerNormalization(x, x, g, b)",
         ["Add", "Add", "SimplifiedLayerNormalization"]),
    ],
)  # fmt: skip
def test_parts_of_transformers_come_apart(
    step: str, expected: list[str], network, run, draw
) -> None:
    text = f"(float[N,3,4] x) => (float[N,3,4] y) {{ {step}  y = Neg(t) }}"
    path = network(text, domains={"com.microsoft": 1}, g=(4,), b=(4,), c=(4,))
    apart = same(graph.load(path), {"x": draw(2, 3, 4)}, run)
    assert operators(apart) == [*expected, "Neg"]


def test_what_nothing_takes_apart_is_left(network) -> None:
    text = "(float[N,4] x) => (float[N,4] y) { t = com.microsoft.FastGelu(x)  y = Relu(t) }"
    model = graph.load(network(text, domains={"com.microsoft": 1}))
    assert graph.unfuse(model) is model
    odd = FUSED["FusedGemm"][0].format('activation = "Softplus"')
    model = graph.load(network(odd, domains={"com.microsoft": 1}, w=(3, 4), b=(3,)))
    assert graph.unfuse(model) is model


def test_what_lacks_inputs_is_left(network) -> None:
    text = "(float[N,4] x) => (float[N,4] y) { y = com.microsoft.BiasGelu() }"
    model = graph.load(network(text, domains={"com.microsoft": 1}))
    assert graph.unfuse(model) is model


def test_a_normalization_whose_statistics_are_read_is_left(network) -> None:
    text = (
        "(float[N,3,4] x) => (float[N,3,4] y) "
        "{ t, m, v = com.microsoft.SkipLayerNormalization(x, x, g)  y = Add(t, m) }"
    )
    model = graph.load(network(text, domains={"com.microsoft": 1}, g=(4,)))
    assert graph.unfuse(model) is model
