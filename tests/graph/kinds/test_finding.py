"""Activations are found by what they compute, however they are written, and each once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnxmem import graph

OPERATORS = {
    "r = Gelu(h)": "gelu",
    'r = Gelu<approximate="tanh">(h)': "gelu",
    "r = com.microsoft.Gelu(h)": "gelu",
    "r = com.microsoft.FastGelu(h)": "gelu",
    "r = com.microsoft.BiasGelu(h, shift)": "gelu",
    "r = com.microsoft.QuickGelu(h)": "gelu",
    "r = com.microsoft.QuickGelu<alpha=1.0>(h)": "silu",
    "r = HardSwish(h)": "hardswish",
    "r = Mish(h)": "mish",
    "r = Elu(h)": "elu",
    "r = Selu(h)": "selu",
    "r = Celu<alpha=2.0>(h)": "celu",
    "r = LeakyRelu(h)": "leakyrelu",
    "r = PRelu(h, tenth)": "prelu",
    "r = ThresholdedRelu<alpha=-1.0>(h)": "thresholdedrelu",
    "r = Tanh(h)": "tanh",
    "r = Softsign(h)": "softsign",
    "r = Sigmoid(h)": "sigmoid",
    "r = HardSigmoid(h)": "hardsigmoid",
    "r = Softplus(h)": "softplus",
}
WRITTEN_OUT = {
    "d = Div(h, root) e = Erf(d) a = Add(e, one) m = Mul(h, a) r = Mul(m, half)": "gelu",
    "d = Div(h, root) e = Erf(d) a = Add(one, e) g = Mul(half, h) r = Mul(a, g)": "gelu",
    "n = Neg(h) d = Div(n, root) e = Erf(d) a = Sub(one, e) g = Mul(h, half) r = Mul(g, a)": "gelu",
    ("p = Pow(h, three) b = Mul(p, bend) s = Add(h, b) f = Mul(s, fraction) t = Tanh(f) "
     "a = Add(t, one) g = Mul(h, half) r = Mul(g, a)"): "gelu",
    ("q = Mul(h, h) c = Mul(q, h) b = Mul(c, bend) s = Add(h, b) f = Mul(s, fraction) "
     "t = Tanh(f) a = Add(t, one) g = Mul(a, half) r = Mul(h, g)"): "gelu",
    "q = Mul(h, quick) s = Sigmoid(q) r = Mul(h, s)": "gelu",
    "s = Sigmoid(h) r = Mul(s, h)": "silu",
    "n = Neg(h) e = Exp(n) a = Add(e, one) r = Div(h, a)": "silu",
    "q = Mul(h, half) t = Tanh(q) a = Add(t, one) g = Mul(a, half) r = Mul(h, g)": "silu",
    "s = HardSigmoid<alpha=0.16666667, beta=0.5>(h) r = Mul(h, s)": "hardswish",
    "a = Add(h, three) c = Clip(a, zero, six) m = Mul(h, c) r = Div(m, six)": "hardswish",
    "a = Add(h, three) q = Relu(a) c = Min(q, six) d = Mul(c, sixth) r = Mul(d, h)": "hardswish",
    "s = Softplus(h) t = Tanh(s) r = Mul(h, t)": "mish",
    "e = Exp(h) a = Add(e, one) l = Log(a) t = Tanh(l) r = Mul(h, t)": "mish",
    "e = Elu<alpha=1.6732632>(h) r = Mul(e, scale)": "selu",
    ("p = Max(h, zero) n = Min(h, zero) e = Exp(n) m = Sub(e, one) a = Mul(m, half) "
     "r = Add(p, a)"): "elu",
    "c = Greater(h, zero) e = Exp(h) m = Sub(e, one) r = Where(c, h, m)": "elu",
    ("p = Relu(h) n = Min(h, zero) q = Mul(n, half) e = Exp(q) m = Sub(e, one) a = Mul(m, two) "
     "r = Add(p, a)"): "celu",
    "m = Mul(h, tenth) r = Max(h, m)": "leakyrelu",
    "c = Less(h, zero) m = Mul(h, tenth) r = Where(c, m, h)": "leakyrelu",
    "p = Relu(h) n = Neg(h) q = Relu(n) m = Mul(q, tenth) r = Sub(p, m)": "leakyrelu",
    "p = Relu(h) n = Neg(h) q = Relu(n) s = Neg(slopes) m = Mul(q, s) r = Add(p, m)": "prelu",
    "b = Abs(h) a = Add(b, one) r = Div(h, a)": "softsign",
    "d = Mul(h, two) s = Sigmoid(d) m = Mul(s, two) r = Sub(m, one)": "tanh",
    "e = Exp(h) a = Add(e, one) r = Log(a)": "softplus",
    ("z = Max(h, zero) b = Abs(h) n = Neg(b) e = Exp(n) a = Add(e, one) l = Log(a) "
     "r = Add(z, l)"): "softplus",
    "n = Neg(h) e = Exp(n) a = Add(e, one) r = Reciprocal(a)": "sigmoid",
    "m = Mul(h, fifth) a = Add(m, half) r = Clip(a, zero, one)": "hardsigmoid",
    "a = Add(h, three) c = Clip(a, zero, six) r = Div(c, six)": "hardsigmoid",
}  # fmt: skip
WEIGHTS = {"shift": (4,), "slopes": np.array([0.1, 0.2, 0.3, 0.4], np.float32)}


def weights_of(body: str) -> dict[str, object]:
    return {name: WEIGHTS[name] for name in WEIGHTS if name in body}


@pytest.mark.parametrize("body", [*OPERATORS, *WRITTEN_OUT])
def test_every_spelling_is_one_site_of_its_kind(between, body):
    model = between(body, **weights_of(body))
    kind = (OPERATORS | WRITTEN_OUT)[body]
    for asked in ((kind,), ("any",), ("auto",)):
        (site,) = graph.find_sites(model, asked)
        assert (site.tensor, site.kind, site.status) == ("r", kind, "ok")
        assert (site.feature_axis, site.signed) == (-1, graph.KINDS[kind].signed)
    assert graph.other_activations(model) == ((graph.KINDS[kind].title, 1),)


@pytest.mark.parametrize("body", WRITTEN_OUT)
def test_no_part_of_an_activation_is_a_site(between, body):
    model = between(body, **weights_of(body))
    every = tuple(kind for kind in graph.KINDS if kind != "block")
    assert [site.tensor for site in graph.find_sites(model, every)] == ["r"]


@pytest.mark.parametrize("body", [*OPERATORS, *WRITTEN_OUT])
def test_the_cut_at_any_spelling_joins(between, check_cut, draw, body):
    model = between(body, **weights_of(body))
    if "ThresholdedRelu" not in body:
        check_cut(model, "r", {"x": draw(3, 4)})


@pytest.mark.parametrize(
    "body",
    [
        "a = Add(h, tiny) r = Identity(a)",
        "m = Mul(h, tenth) r = Add(h, m)",
        "s = Sigmoid(h) t = Sigmoid(s) r = Mul(h, t)",
        "s = Sigmoid(x) r = Mul(h, s)",
        "q = Mul(h, h) a = Add(q, one) r = Sqrt(a)",
        "m = Mul(h, minus) r = Max(h, m)",
        "e = Erf(h) r = Mul(e, half)",
        "t = Neg(h) r = Sub(t, one)",
    ],
)
def test_other_arithmetic_is_none_of_the_signed_kinds(between, body):
    model = between(body)
    assert [s for s in graph.find_sites(model, ("signed",)) if s.kind != "glu"] == []


once = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@once
@given(slope=st.floats(0.001, 0.95))
def test_a_leak_of_any_slope_is_found(between, slope):
    model = between("m = Mul(h, slope) r = Max(m, h)", slope=np.float32(slope))
    assert [site.kind for site in graph.find_sites(model, ("auto",))] == ["leakyrelu"]


@once
@given(factor=st.floats(0.3, 1.5) | st.floats(1.9, 6))
def test_a_swish_of_any_factor_is_found(between, factor):
    model = between("m = Mul(h, factor) s = Sigmoid(m) r = Mul(h, s)", factor=np.float32(factor))
    assert [site.kind for site in graph.find_sites(model, ("auto",))] == ["silu"]


@once
@given(depth=st.floats(0.1, 4))
def test_an_elu_of_any_depth_is_found(between, depth):
    body = "c = Greater(h, zero) e = Exp(h) m = Sub(e, one) a = Mul(m, depth) r = Where(c, h, a)"
    model = between(body, depth=np.float32(depth))
    assert [site.kind for site in graph.find_sites(model, ("auto",))] == ["elu"]


def test_a_relu_that_is_read_beside_the_activation_it_is_part_of_stays_one(between):
    body = """p = Relu(h) n = Neg(h) q = Relu(n) m = Mul(q, tenth) l = Sub(p, m)
        a = MatMul(p, v) r = Add(a, l)"""
    assert [site.tensor for site in graph.find_sites(between(body))] == ["p"]


def test_parts_of_a_chain_that_never_ends_are_not_followed_forever(between):
    names = [f"a{i}" for i in range(2000)]
    steps = "".join(f" {b} = Abs({a})" for a, b in pairwise(names))
    model = between(f"a0 = Tanh(h){steps} r = Mul({names[-1]}, half)")
    assert [site.tensor for site in graph.find_sites(model, ("tanh",))] == ["a0"]


def test_half_precision_constants_are_near_enough(network):
    text = """(float16[N,4] x) => (float16[N,4] y) {
        h = MatMul(x, w)
        p = Pow(h, three) b = Mul(p, bend) s = Add(h, b) f = Mul(s, fraction) t = Tanh(f)
        a = Add(t, one) g = Mul(h, half) r = Mul(g, a)
        y = MatMul(r, w)
    }"""
    numbers = {"three": 3, "bend": 0.044715, "fraction": 0.7978846, "one": 1, "half": 0.5}
    halves = {name: np.float16(value) for name, value in numbers.items()}
    path = network(text, w=np.ones((4, 4), np.float16), **halves)
    assert [s.kind for s in graph.find_sites(graph.load(path), ("auto",))] == ["gelu"]


@pytest.mark.parametrize(
    ("activation", "kind"),
    [("Tanh", "tanh"), ("Sigmoid", "sigmoid"), ("LeakyRelu", "leakyrelu"),
     ("HardSigmoid", "hardsigmoid"), ("HardSwish", "hardswish")],
)  # fmt: skip
def test_what_onnxruntime_fused_is_read(network, activation, kind):
    text = f"""(float[N,2,5,5] x) => (float[N,2,5,5] y) {{
        r = com.microsoft.FusedConv<activation="{activation}">(x, k)
        y = Conv(r, k)
    }}"""
    model = graph.load(network(text, k=(2, 2, 1, 1), domains={"com.microsoft": 1}))
    (site,) = graph.find_sites(model, ("auto",))
    assert (site.tensor, site.op, site.kind, site.feature_axis) == ("r", "FusedConv", kind, 1)


@pytest.mark.parametrize(("op", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_states_of_recurrent_operators_are_sites_whichever_is_read(network, op, gates):
    for reads, tensor in (("s", "s"), ("l", "l")):
        text = f"""(float[5,N,3] x) => (float[] y) {{
            s, l = {op}<hidden_size=4>(x, k, m)
            y = MatMul({reads}, w)
        }}"""
        weights = {"k": (1, 4 * gates, 3), "m": (1, 4 * gates, 4), "w": (4, 4)}
        (site,) = graph.find_sites(graph.load(network(text, **weights)), ("auto",))
        assert (site.tensor, site.kind, site.feature_axis) == (tensor, op.lower(), -1)


def test_an_activation_inside_a_body_says_why_it_is_closed(network):
    text = """(float[N,4] x, int64 trips) => (float[N,4] y) {
        y = Loop(trips, , x) <
            body = step (int64 i, bool go, float[N,4] s) => (bool on, float[N,4] t) {
                on = Identity(go)
                u = MatMul(s, w)
                g = Sigmoid(u)
                t = Mul(u, g)
            }
        >
    }"""
    (site,) = graph.find_sites(graph.load(network(text, w=(4, 4))), ("auto",))
    assert (site.tensor, site.kind, site.status) == ("t", "silu", "unsupported")
    assert "body of Loop" in site.reason
