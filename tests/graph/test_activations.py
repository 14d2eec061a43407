"""Activations that are no ReLU are named, as written and as taken apart."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph

SCALARS = {
    "half": np.float32(0.5), "one": np.float32(1), "two": np.float32(2), "three": np.float32(3),
    "six": np.float32(6), "zero": np.float32(0), "root": np.float32(1.4142135),
    "bend": np.float32(0.044715), "cube": np.float32(3), "fraction": np.float32(0.7978846),
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("r = Gelu(h)", "GELU"),
        ("d = Div(h, root) e = Erf(d) a = Add(e, one) m = Mul(h, a) r = Mul(m, half)", "GELU"),
        ("d = Div(h, root) e = Erf(d) a = Add(e, one) g = Mul(h, half) r = Mul(g, a)", "GELU"),
        (("p = Pow(h, cube) b = Mul(p, bend) s = Add(h, b) f = Mul(s, fraction) t = Tanh(f) "
         "a = Add(t, one) g = Mul(h, half) r = Mul(g, a)"), "GELU"),
        ("s = Sigmoid(h) r = Mul(h, s)", "SiLU"),
        ("s = HardSigmoid(h) r = Mul(h, s)", "HardSwish"),
        ("r = HardSwish(h)", "HardSwish"),
        ("a = Add(h, three) c = Clip(a, zero, six) m = Mul(h, c) r = Div(m, six)", "HardSwish"),
        ("a = Add(h, three) c = Clip(a, zero, six) r = Div(c, six)", "HardSigmoid"),
        ("s = Softplus(h) t = Tanh(s) r = Mul(h, t)", "Mish"),
        ("r = Mish(h)", "Mish"),
        ("r = Elu(h)", "ELU"),
        ("r = Selu(h)", "SELU"),
        ("r = Tanh(h)", "Tanh"),
        ("r = Sigmoid(h)", "Sigmoid"),
        ("r = LeakyRelu(h)", "LeakyReLU"),
        ("r = PRelu(h, half)", "PReLU"),
        ("r = Softplus(h)", "Softplus"),
        ("r = com.microsoft.QuickGelu<alpha=1.0>(h)", "SiLU"),
        ("r = com.microsoft.QuickGelu(h)", "GELU"),
    ],
)  # fmt: skip
def test_an_activation_is_named_once(network, body, name):
    text = f"(float[N,4] x) => (float[N,4] y) {{ h = MatMul(x, w) {body} y = MatMul(r, w) }}"
    used = {key: value for key, value in SCALARS.items() if key in body}
    model = graph.load(network(text, opset=22, domains={"com.microsoft": 1}, w=(4, 4), **used))
    assert graph.other_activations(model) == ((name, 1),)
    assert graph.find_sites(model) == ()


@pytest.mark.parametrize(
    "body", ["r = Relu(h)", "r = Clip(h, zero, six)", "r = LeakyRelu<alpha=0.0>(h)"]
)
def test_a_relu_is_no_other_activation(network, body):
    text = f"(float[N,4] x) => (float[N,4] y) {{ h = MatMul(x, w) {body} y = MatMul(r, w) }}"
    used = {key: value for key, value in SCALARS.items() if key in body}
    assert graph.other_activations(graph.load(network(text, w=(4, 4), **used))) == ()


def test_the_most_frequent_comes_first_and_bodies_count(network):
    path = network(
        """(float[N,4] x, bool c) => (float[N,4] y) {
            a = Tanh(x)
            b = Elu(a)
            y = If(c) <
                then_branch = yes () => (float[N,4] p) { p = Elu(b) },
                else_branch = no () => (float[N,4] q) { q = Identity(b) }
            >
        }"""
    )
    assert graph.other_activations(graph.load(path)) == (("ELU", 2), ("Tanh", 1))
