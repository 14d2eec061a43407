"""Quantised networks, in which the ReLU is a zero point, are cut at the dequantised tensor."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnxmem import graph

NETWORK = """(float[N,3,8,8] x) => (float[N,5] y) {
    c1 = Conv<pads=[1,1,1,1]>(x, w1)
    r1 = Relu(c1)
    c2 = Conv<pads=[1,1,1,1]>(r1, w2)
    s = Add(c2, r1)
    r2 = Relu(s)
    p = GlobalAveragePool(r2)
    f = Flatten(p)
    y = Gemm(f, w3)
}"""
WEIGHTS = {"w1": (8, 3, 3, 3), "w2": (8, 8, 3, 3), "w3": (8, 5)}


@pytest.fixture
def quantized(network, draw, tmp_path):
    """Return a function that quantises the network with onnxruntime's own tool."""
    pytest.importorskip("onnxruntime")
    quantization = pytest.importorskip("onnxruntime.quantization")

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.batches = iter([{"x": draw(4, 3, 8, 8)}])

        def get_next(self):
            return next(self.batches, None)

    def quantize(layout: str, element: str, text: str = NETWORK):
        path = tmp_path / "quantized.onnx"
        quantization.quantize_static(
            str(network(text, **WEIGHTS)),
            str(path),
            Reader(),
            quant_format=getattr(quantization.QuantFormat, layout),
            activation_type=getattr(quantization.QuantType, element),
        )
        return path

    return quantize


@pytest.mark.parametrize("layout", ["QDQ", "QOperator"])
@pytest.mark.parametrize("element", ["QUInt8", "QInt8"])
def test_folded_relus_are_found_and_their_cuts_join(quantized, check_cut, draw, layout, element):
    path = quantized(layout, element)
    ops = {node.op_type for node in onnx.load(path).graph.node}
    assert "Relu" not in ops and ("QLinearConv" in ops) == (layout == "QOperator")
    sites = graph.find_sites(graph.load(path))
    assert len(sites) == 2
    for site in sites:
        assert (site.status, site.feature_axis) == ("ok", 1)
        assert site.tensor.endswith("_dequantized")
        check_cut(path, site.tensor, {"x": draw(2, 3, 8, 8)})


def test_the_dequantised_tensor_is_float_and_not_negative(quantized, run, draw):
    model = graph.load(quantized("QOperator", "QInt8"))
    names = [site.tensor for site in graph.find_sites(model)]
    results = run(graph.expose(model, names), {"x": draw(2, 3, 8, 8)})
    for name in names:
        assert results[name].dtype == np.float32
        assert results[name].min() == 0 < results[name].max()


QUANTIZERS = {
    "s": np.float32(0.1), "zero": np.uint8(0), "middle": np.uint8(128), "w": (4, 4),
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("h = MatMul(x, w) q = QuantizeLinear(h, s, zero)", 1),
        ("h = MatMul(x, w) q = QuantizeLinear(h, s)", 1),
        ("h = MatMul(x, w) q = QuantizeLinear(h, s, middle)", 0),
        ("q = QuantizeLinear(x, s, zero)", 0),
        ("h = Sigmoid(x) q = QuantizeLinear(h, s, zero)", 0),
        ("a = Sigmoid(x) h = Add(a, a) q = QuantizeLinear(h, s, zero)", 0),
        ("q = QuantizeLinear(w, s, zero)", 0),
    ],
)
def test_only_a_quantiser_that_cuts_negatives_off_is_a_relu(network, body, count):
    used = {name: value for name, value in QUANTIZERS.items() if name in body or name in "sw"}
    used.setdefault("zero", np.uint8(0))
    text = f"""(float[N,4] x) => (float[N,4] y) {{
        {body}
        d = DequantizeLinear(q, s{", middle" if "middle" in body else ", zero"})
        g = Add(d, x)
        y = MatMul(g, w)
    }}"""
    sites = graph.find_sites(graph.load(network(text, **used)))
    assert [site.tensor for site in sites] == ["q_dequantized"] * count


def test_a_relu_that_is_still_written_is_found_once(network):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w)
            r = Relu(h)
            q = QuantizeLinear(r, s, zero)
            d = DequantizeLinear(q, s, zero)
            y = MatMul(d, w)
        }""",
        s=np.float32(0.1), zero=np.uint8(0), w=(4, 4),
    )  # fmt: skip
    assert [site.tensor for site in graph.find_sites(graph.load(path))] == ["r"]


@pytest.mark.parametrize(("cap", "sites"), [(6.0, 0), (4.5, 0), (7.0, 1)])
def test_a_gate_that_was_folded_into_a_quantizer_is_no_site(network, cap, sites):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w)
            three = DequantizeLinear(q, s, z)
            a = Add(h, three)
            b = QuantizeLinear(a, t, z)
            c = DequantizeLinear(b, t, z)
            m = Mul(h, c)
            y = MatMul(m, w)
        }""",
        w=(4, 4), q=np.uint8(255), s=np.float32(3 / 255), z=np.uint8(0), t=np.float32(cap / 255),
    )  # fmt: skip
    assert len(graph.find_sites(graph.load(path))) == sites


def test_a_gate_of_quantised_arithmetic_is_no_site(network):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w)
            i = QuantizeLinear(h, s, m)
            b = com.microsoft.QLinearAdd(i, s, m, q, s, z, t, z)
            c = DequantizeLinear(b, t, z)
            g = Mul(h, c)
            y = MatMul(g, w)
        }""",
        domains={"com.microsoft": 1},
        w=(4, 4), q=np.uint8(255), s=np.float32(3 / 255), z=np.uint8(0), m=np.uint8(128),
        t=np.float32(6 / 255),
    )  # fmt: skip
    assert graph.find_sites(graph.load(path)) == ()


SILU = """(float[N,3,8,8] x) => (float[N,5] y) {
    c1 = Conv<pads=[1,1,1,1]>(x, w1)
    g = Sigmoid(c1)
    s = Mul(c1, g)
    c2 = Conv<pads=[1,1,1,1]>(s, w2)
    l = LeakyRelu<alpha=0.1>(c2)
    p = GlobalAveragePool(l)
    f = Flatten(p)
    y = Gemm(f, w3)
}"""


@pytest.mark.parametrize("layout", ["QDQ", "QOperator"])
def test_quantised_activations_are_found_where_there_is_no_relu(quantized, check_cut, draw, layout):
    path = quantized(layout, "QUInt8", SILU)
    model = graph.load(path)
    sites = graph.find_sites(model, ("auto",))
    assert [(s.kind, s.status, s.feature_axis) for s in sites] == [
        ("silu", "ok", 1), ("leakyrelu", "ok", 1),
    ]  # fmt: skip
    for site in sites:
        assert site.tensor.endswith("_dequantized") == (layout == "QOperator")
        check_cut(path, site.tensor, {"x": draw(2, 3, 8, 8)})


def test_quantised_activations_beside_a_relu_stay_as_they_are(quantized):
    path = quantized("QOperator", "QUInt8", SILU.replace("LeakyRelu<alpha=0.1>", "Relu"))
    assert [site.kind for site in graph.find_sites(graph.load(path), ("auto",))] == ["relu"]
    names = {value.name for value in graph.load(path).flow.values.values()}
    assert sum(str(name).endswith("_dequantized") for name in names) == 1


def test_scores_that_a_quantiser_holds_without_sign_are_no_relu_by_default(network):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w)
            t = Tanh(h)
            l = MatMul(t, w)
            q = QuantizeLinear(l, s, z)
            d = DequantizeLinear(q, s, z)
            y = Softmax(d)
        }""",
        w=(4, 4), s=np.float32(0.1), z=np.uint8(0),
    )  # fmt: skip
    model = graph.load(path)
    assert [site.kind for site in graph.find_sites(model)] == ["relu"]
    assert [site.tensor for site in graph.find_sites(model, ("auto",))] == ["t"]


def quantizing(draw, kind: str, *between: onnx.NodeProto, domain: str = "", opset: int = 21):
    """Return a network with a quantiser behind its first layer, and what goes between."""
    node = onnx.helper.make_node
    weights = {"w": draw(4, 4), "s": np.float32(0.5), "lo": np.int8(0), "hi": np.int8(127)}
    zero = onnx.helper.make_tensor("z", getattr(onnx.TensorProto, kind), [], [0])
    last = between[-1].output[0] if between else "q"
    nodes = [
        node("MatMul", ["x", "w"], ["h"]),
        node("QuantizeLinear", ["h", "s", "z"], ["q"], domain=domain),
        *between,
        node("DequantizeLinear", [last, "s", "z"], ["r"], domain=domain),
        node("MatMul", ["r", "w"], ["y"]),
    ]
    info = onnx.helper.make_tensor_value_info
    inside = onnx.helper.make_graph(
        nodes, "g", [info("x", 1, ["N", 4])], [info("y", 1, ["N", 4])],
        [zero, *(onnx.numpy_helper.from_array(array, name) for name, array in weights.items())],
    )  # fmt: skip
    domains = [("", opset), *([(domain, 1)] if domain else [])]
    return onnx.helper.make_model(
        inside, ir_version=10, opset_imports=[onnx.helper.make_opsetid(*one) for one in domains]
    )


@pytest.mark.parametrize(
    ("kind", "domain", "opset"),
    [("UINT4", "", 21), ("UINT16", "", 21), ("UINT8", "com.microsoft", 17),
     ("UINT16", "com.microsoft", 17)],
)  # fmt: skip
def test_a_zero_point_cuts_in_every_unsigned_type_and_either_domain(
    tmp_path, check_cut, draw, kind, domain, opset
):
    path = tmp_path / "q.onnx"
    onnx.save(quantizing(draw, kind, domain=domain, opset=opset), path)
    (site,) = graph.find_sites(graph.load(path))
    assert site.status == "ok"
    check_cut(path, site.tensor, {"x": draw(8, 4)})


@pytest.mark.parametrize("op", ["Relu", "Clip"])
def test_a_relu_of_quantized_integers_is_cut_where_it_is_dequantized(tmp_path, check_cut, draw, op):
    path = tmp_path / "q.onnx"
    bounds = ["lo", "hi"] if op == "Clip" else []
    cut = onnx.helper.make_node(op, ["q", *bounds], ["cut"])
    onnx.save(quantizing(draw, "INT8", cut), path)
    (site,) = graph.find_sites(graph.load(path))
    assert (site.tensor, site.op, site.status) == ("r", op, "ok")
    check_cut(path, "r", {"x": draw(8, 4)})


def test_a_relu_of_integers_is_named_where_it_cannot_be_cut(network, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w) i = Cast<to=6>(h) r = Relu(i) f = Cast<to=1>(r) y = MatMul(f, w)
        }""",
        w=(4, 4),
    )
    (site,) = graph.find_sites(graph.load(path))
    assert (site.tensor, site.status) == ("r", "unsupported")
    assert "integers" in site.reason


def test_clips_of_indices_are_no_relus(network):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w) a = ArgMax<axis=1>(h) c = Clip(a, zero, three) g = Gather(w, c)
            y = Squeeze(g, one)
        }""",
        w=(4, 4), zero=np.array(0), three=np.array(3), one=np.array([1]),
    )  # fmt: skip
    assert graph.find_sites(graph.load(path), ("relu",)) == ()
