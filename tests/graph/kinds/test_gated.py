"""Gated units are products of two branches of one tensor; gates of other tensors are none."""

from __future__ import annotations

import pytest

from onnxmem import graph

GATES = {
    "glu": "g = Sigmoid(a)",
    "swiglu": "s = Sigmoid(a) g = Mul(a, s)",
    "geglu": "g = Gelu(a)",
    "tanh": "g = Tanh(a)",
}
BRANCHES = {
    "two layers": "a = MatMul(h, p) b = MatMul(h, q)",
    "two layers with biases": "c = MatMul(h, p) a = Add(c, o) d = MatMul(h, q) b = Add(d, o)",
    "one layer, split": "t = MatMul(h, e) a, b = Split<axis=-1, num_outputs=2>(t)",
    "split as it is": "a, b = Split<axis=-1, num_outputs=2>(h)",
}


def load(network, body, width=4):
    text = f"""(float[N,7,4] x) => (float[N,7,4] y) {{
        h = MatMul(x, f)
        {body}
        y = MatMul(r, z)
    }}"""
    sizes = {"f": (4, 4), "p": (4, 4), "q": (4, 4), "o": (4,), "e": (4, 8), "z": (width, 4)}
    used = {name: size for name, size in sizes.items() if f"{name})" in text}
    return graph.load(network(text, opset=20, **used))


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize("order", ["g, b", "b, g"])
def test_the_product_is_the_site_and_its_gate_none_beside_it(network, gate, branches, order):
    width = 2 if branches == "split as it is" else 4
    model = load(network, f"{BRANCHES[branches]} {GATES[gate]} r = Mul({order})", width)
    for kinds in (("auto",), ("any",), ("glu",), ("glu", "silu", "sigmoid", "gelu", "tanh")):
        (site,) = graph.find_sites(model, kinds)
        assert (site.tensor, site.kind, site.signed, site.feature_axis) == ("r", "glu", True, -1)


def test_the_activation_inside_can_be_asked_for_by_its_name(network):
    model = load(network, f"{BRANCHES['two layers']} {GATES['swiglu']} r = Mul(g, b)")
    assert [site.tensor for site in graph.find_sites(model, ("silu",))] == ["g"]
    assert graph.find_sites(model, ("sigmoid",)) == ()


def test_a_product_of_two_activations_is_one_site(network):
    model = load(network, f"{BRANCHES['two layers']} t = Tanh(a) s = Sigmoid(b) r = Mul(t, s)")
    assert [site.tensor for site in graph.find_sites(model, ("auto",))] == ["r"]


def test_the_product_with_a_relu_leaves_the_relu_by_default(network):
    model = load(network, f"{BRANCHES['two layers']} g = Relu(a) r = Mul(g, b)")
    assert [site.tensor for site in graph.find_sites(model, ("auto",))] == ["g"]
    assert [site.tensor for site in graph.find_sites(model, ("any",))] == ["r"]


EXCITED = """(float[N,4,5,5] x) => (float[N,4] y) {
    c = Conv(x, k)
    s = Sigmoid(c)
    h = Mul(c, s)
    p = GlobalAveragePool(h)
    d = Conv(p, k)
    g = %s(d)
    r = Mul(h, g)
    e = Conv(r, k)
    f = GlobalAveragePool(e)
    y = Flatten(f)
}"""


@pytest.mark.parametrize("gate", ["Sigmoid", "HardSigmoid"])
def test_the_gate_of_squeeze_and_excitation_is_no_gated_unit(network, gate):
    model = graph.load(network(EXCITED % gate, k=(4, 4, 1, 1)))
    kind = gate.lower()
    assert [s.tensor for s in graph.find_sites(model, ("auto",))] == ["h"]
    assert [(s.tensor, s.kind) for s in graph.find_sites(model, (kind,))] == [("g", kind)]
    found = [(s.tensor, s.kind) for s in graph.find_sites(model, ("any",))]
    assert found == [("h", "silu"), ("g", kind)]


def test_a_gate_that_is_turned_round_is_a_gate_still(network):
    model = load(
        network,
        """t = Tanh(h) a = MatMul(t, p) g = Sigmoid(a) n = Neg(g) m = Identity(n)
        u = Mul(t, g) b = MatMul(u, q) k = Mul(m, b) r = Add(b, k)""",
    )
    assert "g" not in [s.tensor for s in graph.find_sites(model, ("signed",))]
