"""What counts as a ReLU, what does not, and what cannot be cut."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph
from onnxmem.errors import UsageError

SCALARS = {
    "zero": np.float32(0), "one": np.float32(1), "three": np.float32(3), "six": np.float32(6),
    "half": np.float32(0.5), "fifth": np.float32(0.2), "sixth": np.float32(1 / 6),
    "tiny": np.float32(1e-6), "minus": np.float32(-1), "two": np.float32(2),
}  # fmt: skip
MICROSOFT = {"com.microsoft": 1}


def between_layers(body: str) -> str:
    """Return a network in which `body` makes r from h, between two layers."""
    return f"""(float[N,4] x) => (float[N,4] y) {{
        h = MatMul(x, w)
        {body}
        y = MatMul(r, w)
    }}"""


def sites_of(network, text, **options):
    """Return the sites of a network; scalars and w are there if the text names them."""
    weights = {"w": (4, 4), **SCALARS}
    used = {name: value for name, value in weights.items() if name in text}
    return graph.find_sites(graph.load(network(text, **used, **options)))


@pytest.mark.parametrize(
    ("body", "op"),
    [
        ("r = Relu(h)", "Relu"),
        ("r = Clip(h, zero)", "Clip"),
        ("r = Clip(h, zero, six)", "Clip"),
        ("r = Max(h, zero)", "Max"),
        ("r = Max(zero, h)", "Max"),
        ("c = Greater(h, zero) r = Where(c, h, zero)", "Where"),
        ("c = GreaterOrEqual(h, zero) r = Where(c, h, zero)", "Where"),
        ("c = Less(zero, h) r = Where(c, h, zero)", "Where"),
        ("c = Less(h, zero) r = Where(c, zero, h)", "Where"),
        ("c = Greater(zero, h) r = Where(c, zero, h)", "Where"),
        ("c = Less(h, zero) n = Not(c) r = Where(n, h, zero)", "Where"),
        ("c = Greater(h, zero) m = Cast<to=1>(c) r = Mul(h, m)", "Mul"),
        ("r = LeakyRelu<alpha=0.0>(h)", "LeakyRelu"),
        ("r = PRelu(h, zero)", "PRelu"),
        ("r = ThresholdedRelu<alpha=0.5>(h)", "ThresholdedRelu"),
        ("s = Shape(h) z = ConstantOfShape(s) r = Max(h, z)", "Max"),
        ("s = Shape(h) z = Expand(zero, s) c = Greater(h, zero) r = Where(c, h, z)", "Where"),
    ],
)
def test_every_spelling_is_found_and_its_cut_joins(network, check_cut, draw, body, op):
    text = between_layers(body)
    (site,) = sites_of(network, text)
    assert (site.tensor, site.op, site.status) == ("r", op, "ok")
    used = {name: value for name, value in SCALARS.items() if name in text}
    check_cut(network(text, w=(4, 4), **used), "r", {"x": draw(3, 4)})


@pytest.mark.parametrize(("power", "sites"), [("two", 1), ("half", 0), ("minus", 0), ("fifth", 0)])
def test_a_whole_power_needs_no_guard(network, power, sites):
    body = f"m = Max(h, zero) r = Pow(m, {power})"
    assert len(sites_of(network, between_layers(body))) == sites


@pytest.mark.parametrize("square", ["s = Mul(h, h)", "s = Pow(h, two)"])
def test_what_clips_a_square_is_no_site(network, square):
    assert sites_of(network, between_layers(f"{square} r = Max(s, zero)")) == ()


def test_the_attributes_of_an_old_clip_are_read(network):
    (site,) = sites_of(network, between_layers("r = Clip<min=0.0, max=6.0>(h)"), opset=6)
    assert (site.tensor, site.op) == ("r", "Clip")


@pytest.mark.parametrize(
    "body",
    [
        "r = Clip(h, minus, one)",
        "r = Clip(h, tiny)",
        "r = Max(h, tiny)",
        "r = Max(h, x)",
        "c = Greater(h, minus) r = Where(c, h, zero)",
        "c = Greater(h, zero) r = Where(c, zero, h)",
        "c = Greater(x, zero) r = Where(c, h, zero)",
        "r = LeakyRelu(h)",
        "r = PRelu(h, half)",
        "r = Elu(h)",
        "r = HardSwish(h)",
        "r = Tanh(h)",
    ],
)
def test_what_can_go_below_zero_is_no_site(network, body):
    assert sites_of(network, between_layers(body)) == ()


@pytest.mark.parametrize(
    "body",
    [
        "a = Add(h, three) c = Clip(a, zero, six) m = Mul(h, c) r = Div(m, six)",
        "a = Add(h, three) c = Clip(a, zero, six) d = Div(c, six) r = Mul(h, d)",
        "a = Add(h, three) q = Relu(a) c = Min(q, six) d = Mul(c, sixth) r = Mul(h, d)",
        "m = Mul(h, fifth) a = Add(m, half) c = Clip(a, zero, one) r = Mul(x, c)",
        "a = MatMul(h, w) c = Clip(a, zero, six) d = Mul(c, sixth) r = Mul(h, d)",
        "m = Mul(h, fifth) c = Clip(m, zero, one) r = Mul(h, c)",
    ],
)
def test_the_gate_of_a_hand_written_hard_swish_is_no_site(network, body):
    assert sites_of(network, between_layers(body)) == ()


@pytest.mark.parametrize(
    "body",
    [
        "c = Max(h, zero) a = Add(c, tiny) r = Sqrt(a)",
        "c = Clip(h, zero) a = Add(c, tiny) r = Log(a)",
        "c = Clip(h, zero) a = Add(c, one) r = Div(x, a)",
    ],
)
def test_a_numeric_guard_is_no_site(network, body):
    assert sites_of(network, between_layers(body)) == ()


def test_clipping_the_output_or_integers_is_no_site(network):
    assert (
        sites_of(
            network,
            """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w)
            y = Clip(h, zero, one)
        }""",
        )
        == ()
    )
    assert (
        sites_of(
            network,
            """(int64[N] i) => (float[N,4] y) {
            c = Max(i, nought)
            e = Gather(w, c)
            y = MatMul(e, w)
        }""",
            nought=np.array(0),
        )
        == ()
    )


def test_clipping_what_is_positive_already_is_no_second_site(network):
    sites = sites_of(network, between_layers("q = Relu(h) r = Clip(q, zero, six)"))
    assert [site.tensor for site in sites] == ["q"]


def test_sites_come_in_order_with_shape_and_outputs(network):
    sites = sites_of(
        network,
        """(float[N,4] x) => (float[N,4] y, float[N,4] z) {
            a = MatMul(x, w)
            r1 = Relu(a)
            b = MatMul(r1, w)
            r2 = Relu(b)
            y = MatMul(r2, w)
            z = MatMul(r1, w)
            dead = Relu(a)
        }""",
    )
    assert [site.tensor for site in sites] == ["r1", "r2", "dead"]
    assert [site.index for site in sites] == [0, 1, 2]
    assert [site.reaches for site in sites] == [("y", "z"), ("y",), ()]
    assert sites[0].shape == ("N", 4)
    assert (sites[2].status, sites[2].reason) == (
        "unsupported",
        "no output of the model depends on it",
    )


def test_a_relu_of_constants_is_no_site(network):
    assert (
        sites_of(network, "(float[N,4] x) => (float[N,4] y) { v = Relu(w) y = MatMul(x, v) }") == ()
    )


@pytest.mark.parametrize(
    ("node", "found"),
    [
        ('FusedConv<activation="Relu">', True),
        ('FusedConv<activation="Clip", activation_params=[0.0, 6.0]>', True),
        ('FusedConv<activation="Clip", activation_params=[-1.0, 1.0]>', False),
        ('FusedConv<activation="LeakyRelu", activation_params=[0.1]>', False),
        ("FusedConv", False),
    ],
)
def test_activations_that_onnxruntime_fused_are_read(network, node, found):
    text = f"""(float[N,2,5,5] x) => (float[N,2,5,5] y) {{
        r = com.microsoft.{node}(x, k)
        y = Conv(r, k)
    }}"""
    sites = sites_of(network, text, k=(2, 2, 1, 1), domains=MICROSOFT)
    assert [(site.tensor, site.op, site.feature_axis) for site in sites] == (
        [("r", "FusedConv", 1)] if found else []
    )


def test_a_blocked_tensor_is_cut_where_its_layout_is_undone_or_could_be(network):
    text = """(float[N,8,5,5] x) => (float[N,8,5,5] y) {
        b = com.microsoft.nchwc.ReorderInput<channels_last=0>(x)
        a = com.microsoft.nchwc.Conv<activation="Relu">(b, k)
        r = com.microsoft.nchwc.ReorderOutput<channels=8>(a)
        p = Conv(r, k)
        c = com.microsoft.nchwc.Conv<activation="Relu">(b, k)
        d = com.microsoft.nchwc.Conv(c, k)
        q = com.microsoft.nchwc.ReorderOutput<channels=8>(d)
        y = Add(p, q)
    }"""
    sites = sites_of(network, text, k=(8, 8, 1, 1), domains={"com.microsoft.nchwc": 1})
    assert [(site.tensor, site.status) for site in sites] == [
        ("r", "ok"),
        ("c_unblocked", "ok"),
    ]


def test_a_blocked_activation_is_made_visible_where_there_is_no_relu(network):
    text = """(float[N,8,5,5] x) => (float[N,8,5,5] y) {
        b = com.microsoft.nchwc.ReorderInput<channels_last=0>(x)
        a = com.microsoft.nchwc.Conv(b, k)
        g = com.microsoft.QuickGelu<alpha=1.0>(a)
        d = com.microsoft.nchwc.Conv(g, k)
        s = Sigmoid(d)
        m = Mul(d, s)
        y = com.microsoft.nchwc.ReorderOutput<channels=8>(m)
    }"""
    domains = {"com.microsoft.nchwc": 1, "com.microsoft": 1}
    model = graph.load(network(text, k=(8, 8, 1, 1), domains=domains))
    found = graph.find_sites(model, ("signed",))
    assert [(site.tensor, site.kind, site.status) for site in found] == [
        ("g_unblocked", "silu", "ok"),
        ("y", "silu", "ok"),
    ]


def test_the_states_of_a_relu_rnn_are_a_site_with_features_last(network, check_cut, draw):
    text = """(float[5,N,3] x) => (float[] y) {
        r, last = RNN<hidden_size=4, activations=["Relu"]>(x, k, l)
        y = MatMul(r, w)
    }"""
    (site,) = sites_of(network, text, k=(1, 4, 3), l=(1, 4, 4))
    assert (site.tensor, site.op, site.feature_axis) == ("r", "RNN", -1)
    check_cut(network(text, k=(1, 4, 3), l=(1, 4, 4), w=(4, 4)), "r", {"x": draw(5, 2, 3)})
    assert sites_of(network, text.replace("Relu", "Tanh"), k=(1, 4, 3), l=(1, 4, 4)) == ()


def test_a_relu_inside_a_body_is_reported_with_what_would_help(network):
    sites = sites_of(
        network,
        """(float[N,4] x, int64 sr, int64 trips) => (float[N,4] y, float[N,4] z) {
            c = Equal(sr, wide)
            y = If(c) <
                then_branch = yes () => (float[N,4] p) {
                    a = MatMul(x, w)
                    b = Relu(a)
                    p = MatMul(b, w)
                },
                else_branch = no () => (float[N,4] q) { q = MatMul(x, w) }
            >
            z = Loop(trips, , x) <
                body = step (int64 i, bool go, float[N,4] s) => (bool on, float[N,4] t) {
                    on = Identity(go)
                    u = MatMul(s, w)
                    t = Relu(u)
                }
            >
        }""",
        wide=np.array(16000),
    )
    assert [(site.tensor, site.status) for site in sites] == [
        ("b", "unsupported"),
        ("t", "unsupported"),
    ]
    assert "body of If" in sites[0].reason and "--bind NAME=VALUE" in sites[0].reason
    assert "NAME is sr (see docs/hazards.md#control-flow)" in sites[0].reason
    assert "body of Loop" in sites[1].reason


@pytest.mark.parametrize("kind", ["sigmoid", "softmax", "softplus", "exp", "abs"])
def test_other_kinds_are_found_on_request_only(network, kind):
    path = network(between_layers(f"r = {kind.title()}(h)"), w=(4, 4))
    model = graph.load(path)
    assert graph.find_sites(model) == ()
    assert [site.tensor for site in graph.find_sites(model, ("relu", kind))] == ["r"]


def test_an_unknown_kind_is_refused(network):
    path = network(between_layers("r = Relu(h)"), w=(4, 4))
    with pytest.raises(UsageError, match="no kind of activation 'gelo'; there are: auto, any, "):
        graph.find_sites(graph.load(path), ("gelo",))


def test_guards_and_gates_inside_a_body_are_not_reported(network):
    sites = sites_of(
        network,
        """(float[N,4] x, bool c) => (float[N,4] y) {
            y = If(c) <
                then_branch = yes () => (float[N,4] p) {
                    a = Max(x, zero)
                    b = Add(a, tiny)
                    d = Sqrt(b)
                    e = Add(d, three)
                    f = Clip(e, zero, six)
                    p = Mul(d, f)
                },
                else_branch = no () => (float[N,4] q) { q = Identity(x) }
            >
        }""",
    )
    assert sites == ()


@pytest.mark.parametrize(("activation", "found"), [("relu", True), ("gelu", False)])
def test_a_relu_inside_a_mixture_of_experts_is_named(network, activation, found):
    path = network(
        f"""(float[N,4] x) => (float[N,4] y) {{
            p = MatMul(x, w)
            m = com.microsoft.MoE<k=1, activation_type="{activation}">(x, p, w1, , w2)
            y = MatMul(m, w)
        }}""",
        w=(4, 4), w1=(4, 8, 4), w2=(4, 4, 8), domains={"com.microsoft": 1},
    )  # fmt: skip
    sites = graph.find_sites(graph.load(path), ("relu",))
    assert [(site.op, site.status) for site in sites] == [("MoE", "unsupported")] * found
    assert all("inside of MoE" in site.reason for site in sites)
