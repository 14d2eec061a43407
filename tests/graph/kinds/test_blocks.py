"""Blocks are the outputs of residual additions and normalisations."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph

SMALL = np.float32(1e-5)
TWO, HALF = np.float32(2), np.float32(-0.5)


def blocks_of(network, body, **weights):
    text = f"(float[N,7,4] x) => (float[N,7,4] y) {{ h = MatMul(x, w) {body} y = MatMul(r, w) }}"
    model = graph.load(network(text, domains={"com.microsoft": 1}, w=(4, 4), **weights))
    return [(site.tensor, site.op) for site in graph.find_sites(model, ("block",))]


@pytest.mark.parametrize(
    "body",
    [
        "a = MatMul(h, w) r = Add(h, a)",
        "a = MatMul(h, w) r = Add(a, h)",
        "a = MatMul(h, w) b = MatMul(h, w) c = MatMul(b, w) r = Sum(a, c)",
        "a = MatMul(x, w) r = Add(x, a)",
    ],
)
def test_an_addition_along_a_skip_is_a_block(network, body):
    assert ("r", body.rpartition("= ")[2].partition("(")[0]) in blocks_of(network, body)


@pytest.mark.parametrize(
    ("body", "weights"),
    [
        ("r = Add(h, b)", {"b": (4,)}),
        ("n = Neg(h) c = Mul(n, b) r = Add(h, c)", {"b": (4,)}),
        ("c = Cos(h) s = Sin(h) r = Add(c, s)", {}),
        ("s = Shape(h) c = ConstantOfShape(s) m = MatMul(c, w) r = Add(h, m)", {}),
    ],
)
def test_other_additions_are_none(network, body, weights):
    assert blocks_of(network, body, **weights) == []


NORMS = {
    "operator": ("r = LayerNormalization(h, g, b)", "LayerNormalization"),
    "of onnxruntime": ("r = com.microsoft.SkipLayerNormalization(h, h, g, b)",
                       "SkipLayerNormalization"),
    "written out": (
        ("m = ReduceMean<axes=[-1]>(h) d = Sub(h, m) s = Pow(d, two) v = ReduceMean<axes=[-1]>(s) "
         "e = Add(v, small) q = Sqrt(e) n = Div(d, q) t = Mul(n, g) r = Add(t, b)"),
        "LayerNormalization",
    ),
    "root mean square": (
        ("s = Mul(h, h) v = ReduceMean<axes=[-1]>(s) e = Add(v, small) q = Sqrt(e) "
         "i = Reciprocal(q) n = Mul(h, i) r = Mul(g, n)"),
        "LayerNormalization",
    ),
    "by a power": (
        ("s = Pow(h, two) v = ReduceMean<axes=[-1]>(s) e = Add(v, small) i = Pow(e, half) "
         "r = Mul(h, i)"),
        "LayerNormalization",
    ),
    "folded together": (
        ("m = ReduceMean<axes=[-1]>(h) d = Sub(h, m) s = Mul(d, d) v = ReduceMean<axes=[-1]>(s) "
         "e = Add(v, small) q = Sqrt(e) p = Reciprocal(q) i = Mul(p, g) k = Mul(m, i) "
         "o = Sub(b, k) t = Mul(h, i) r = Add(t, o)"),
        "LayerNormalization",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NORMS)
def test_a_normalisation_is_a_block_after_its_scale_and_shift(network, name):
    body, op = NORMS[name]
    weights = {"g": (4,), "b": (4,), "small": SMALL, "two": TWO, "half": HALF}
    used = {key: value for key, value in weights.items() if f"{key})" in body or f"{key}," in body}
    assert blocks_of(network, body, **used) == [("r", op)]


def test_what_is_normalised_for_an_activation_is_none(network):
    text = """(float[N,4,5,5] x) => (float[N,4,5,5] y) {
        h = Conv(x, k)
        n = BatchNormalization(h, g, g, g, g)
        a = LeakyRelu(n)
        c = Conv(a, k)
        m = BatchNormalization(c, g, g, g, g)
        r = Add(m, a)
        y = Conv(r, k)
    }"""
    model = graph.load(network(text, k=(4, 4, 1, 1), g=np.ones(4, np.float32)))
    assert [s.tensor for s in graph.find_sites(model, ("block",))] == ["m", "r"]
    assert [s.tensor for s in graph.find_sites(model, ("auto",))] == ["a"]
    assert [s.tensor for s in graph.find_sites(model, ("any",))] == ["a"]


def test_a_network_without_activations_has_its_blocks_by_default(network):
    text = """(float[N,7,4] x) => (float[N,7,4] y) {
        h = MatMul(x, w) a = MatMul(h, w) s = Add(h, a) r = LayerNormalization(s, g)
        y = MatMul(r, w)
    }"""
    model = graph.load(network(text, w=(4, 4), g=(4,)))
    found = graph.find_sites(model, ("auto",))
    assert [(s.tensor, s.kind, s.signed) for s in found] == [
        ("s", "block", True), ("r", "block", True),
    ]  # fmt: skip
