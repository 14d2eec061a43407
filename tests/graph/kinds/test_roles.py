"""By default neither heads nor scores of attention are sites."""

from __future__ import annotations

import pytest

from onnxmem import graph


@pytest.mark.parametrize(
    "end",
    [
        "y = Sigmoid(o)",
        "y = Tanh(o)",
        "s = Softplus(o) y = Identity(s)",
        "s = Sigmoid(o) m = Mul(s, v) a = Add(m, v) y = Concat<axis=1>(a, m)",
        "t = Tanh(o) m = Mul(t, v) y = Softmax(m)",
    ],
)
def test_a_head_is_a_site_only_where_it_is_asked_for(network, end):
    text = (
        f"(float[N,4] x) => (float[N,M] y) {{ h = MatMul(x, w) e = Elu(h) o = MatMul(e, w) {end} }}"
    )
    sizes = {"w": (4, 4)} | ({"v": (4,)} if "v)" in end else {})
    model = graph.load(network(text, **sizes))
    assert [site.kind for site in graph.find_sites(model, ("auto",))] == ["elu"]
    named = graph.find_sites(model, ("any",))
    assert [site.kind == "elu" for site in named] == [True, False]


def test_what_attention_attends_to_is_a_site_only_by_name(network):
    text = """(float[N,5,4] x) => (float[N,5,4] y) {
        q = MatMul(x, w)
        k = MatMul(x, v)
        t = Transpose<perm=[0,2,1]>(k)
        s = MatMul(q, t)
        c = Tanh(s)
        a = Softmax(c)
        m = MatMul(a, x)
        r = Softsign(m)
        y = MatMul(r, w)
    }"""
    model = graph.load(network(text, w=(4, 4), v=(4, 4)))
    assert [site.tensor for site in graph.find_sites(model, ("auto",))] == ["r"]
    assert [site.tensor for site in graph.find_sites(model, ("any",))] == ["c", "r"]
    assert [site.tensor for site in graph.find_sites(model, ("softmax",))] == ["a"]


def test_relus_go_before_all_others(network):
    text = """(float[N,4] x) => (float[N,4] y) {
        h = MatMul(x, w) g = Gelu(h) a = MatMul(g, w) r = Relu(a) y = MatMul(r, w)
    }"""
    model = graph.load(network(text, opset=20, w=(4, 4)))
    assert [site.tensor for site in graph.find_sites(model, ("auto",))] == ["r"]
    assert [site.tensor for site in graph.find_sites(model, ("signed",))] == ["g"]
    assert [site.tensor for site in graph.find_sites(model, ("nonnegative",))] == ["r"]
    assert [site.tensor for site in graph.find_sites(model, ("any",))] == ["g", "r"]


def test_scores_that_are_put_together_again_and_again_end_in_time(network):
    """There are 8 to the power of 9 ways from the first tensor to the end."""
    rows = [
        f"t{level}_{place} = Concat<axis=1>({', '.join(f't{level - 1}_{i}' for i in range(8))})"
        for level in range(1, 10)
        for place in range(8)
    ]
    first = [f"t0_{place} = Identity(s)" for place in range(8)]
    text = f"""(float[N,4] x) => (float[N,M] y) {{ h = MatMul(x, w) e = Elu(h) o = MatMul(e, w)
        s = Tanh(o) {" ".join([*first, *rows])} y = Identity(t9_0) }}"""
    model = graph.load(network(text, w=(4, 4)))
    assert graph.find_sites(model, ("auto",))[0].kind == "elu"
