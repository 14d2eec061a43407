"""Normal form: whatever a model brings along is gone, and it computes the same."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnxmem import graph
from onnxmem.errors import ModelFileError, UsageError

TWO_BRANCHES = """(float[N,4] x, int64 sr) => (float[N,4] y) {
    c = Equal(sr, wide)
    s = If(c) <
        then_branch = yes () => (float[N,4] p) { a = MatMul(x, w) b = Relu(a) p = MatMul(b, w) },
        else_branch = no () => (float[N,4] q) { a = MatMul(x, w) e = Relu(a) q = Tanh(e) }
    >
    t = Relu(s)
    y = MatMul(t, w)
}"""
TWO_WEIGHTS = {"w": (4, 4), "wide": np.array(16000)}


def ops(model):
    return [node.op_type for node in model.ir.graph.all_nodes()]


def test_initializers_listed_as_inputs_are_no_inputs(network, check_cut, draw, proto):
    path = network("(float[N,4] x) => (float[N,4] y) { h = MatMul(x, w) y = Relu(h) }", w=(4, 4))
    old = onnx.load(path)
    old.ir_version = 3
    old.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, [4, 4]))
    onnx.save(old, path)
    model = graph.load(path)
    assert [spec.name for spec in model.inputs] == ["x"]
    assert model.ir_version == 3 and model.ir.ir_version >= 4
    check_cut(model, "y", {"x": draw(2, 4)})


@pytest.mark.parametrize("inside", [17, 16, 12])
def test_functions_are_inlined_whatever_opset_they_state(network, check_cut, draw, inside):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            a = mine.block<slope=0.0>(x, w)
            b = mine.block<slope=0.5>(a, w)
            y = MatMul(b, w)
        }""",
        w=(4, 4), domains={"mine": 1},
    )  # fmt: skip
    model = onnx.load(path)
    model.functions.append(
        onnx.parser.parse_function(
            f"""<domain: "mine", opset_import: ["" : {inside}, "mine" : 3]>
            block <slope> (i, w) => (o) {{
                h = MatMul(i, w)
                r = Relu(h)
                o = LeakyRelu<alpha: float = @slope>(r)
            }}"""
        )
    )
    onnx.save(model, path)
    loaded = graph.load(path)
    assert not loaded.ir.functions and "block" not in ops(loaded)
    assert len(graph.find_sites(loaded)) >= 2
    for site in graph.find_sites(loaded):
        check_cut(loaded, site.tensor, {"x": draw(2, 4)})


def test_a_function_whose_operators_changed_since_is_converted(network, run, draw):
    path = network(
        "(float[N,4] x) => (float[] y) { a = mine.total(x) r = Relu(a) y = Squeeze(r) }",
        opset=17, domains={"mine": 1},
    )  # fmt: skip
    model = onnx.load(path)
    model.functions.append(
        onnx.parser.parse_function(
            """<domain: "mine", opset_import: ["" : 12]>
            total (i) => (o) { o = ReduceSum<axes = [1], keepdims = 1>(i) }"""
        )
    )
    onnx.save(model, path)
    x = draw(3, 4)
    result = run(graph.expose(graph.load(path), ["r"]), {"x": x})["r"]
    np.testing.assert_allclose(result, np.maximum(x.sum(axis=1, keepdims=True), 0), rtol=1e-5)


def test_an_input_that_is_an_output_too_stays_one(network, run, draw):
    path = network("(float[N,4] x) => (float[N,4] y, float[N,4] x) { y = Relu(x) }")
    model = graph.load(path)
    x = draw(2, 4)
    results = run(graph.expose(model, []), {"x": x})
    assert len(results) == 2
    np.testing.assert_array_equal(list(results.values())[1], x)


@pytest.mark.parametrize(("rate", "inner"), [(16000, "b"), (8000, "e")])
def test_binding_an_input_lifts_the_branch_that_it_decides(network, check_cut, draw, rate, inner):
    path = network(TWO_BRANCHES, **TWO_WEIGHTS)
    assert [s.status for s in graph.find_sites(graph.load(path))].count("unsupported") == 2
    model = graph.load(path, {"sr": rate})
    assert [spec.name for spec in model.inputs] == ["x"]
    assert [site.tensor for site in graph.find_sites(model)] == [inner, "t"]
    assert "If" not in ops(model)
    assert "a" in model.flow.values
    assert any("branch" in note for note in model.notes)


def test_a_bound_model_computes_what_the_free_one_did(network, run, draw):
    path = network(TWO_BRANCHES, **TWO_WEIGHTS)
    x = draw(3, 4)
    for rate in (16000, 8000):
        free = run(graph.expose(graph.load(path), []), {"x": x, "sr": np.array(rate)})
        bound = run(graph.expose(graph.load(path, {"sr": rate}), []), {"x": x})
        np.testing.assert_array_equal(free["y"], bound["y"])


def test_an_if_on_a_fixed_size_is_lifted(network, check_cut, draw):
    path = network(
        """(float[N,1,4] x) => (float[] y) {
            s = Shape(x)
            n = Gather(s, at)
            c = Equal(n, at)
            t = If(c) <
                then_branch = yes () => (float[N,4] p) { p = Squeeze(x, at) },
                else_branch = no () => (float[N,1,4] q) { q = Identity(x) }
            >
            h = MatMul(t, w)
            r = Relu(h)
            y = MatMul(r, w)
        }""",
        w=(4, 4), at=np.array([1]),
    )  # fmt: skip
    model = graph.load(path)
    assert "If" not in ops(model)
    assert check_cut(model, "r", {"x": draw(2, 1, 4)}).crossing == ()


def test_nested_and_repeated_branches_keep_their_names_apart(network, check_cut, draw):
    branch = """If(c) <
        then_branch = yes () => (float[N,4] p) {
            a = MatMul(x, w)
            p = If(c) <
                then_branch = in () => (float[N,4] z) { a2 = Relu(a) z = MatMul(a2, w) },
                else_branch = out () => (float[N,4] u) { u = Identity(a) }
            >
        },
        else_branch = no () => (float[N,4] q) { q = Identity(x) }
    >"""
    path = network(
        f"(float[N,4] x) => (float[N,4] y) {{ s = {branch} t = {branch} y = Add(s, t) }}",
        w=(4, 4), c=np.array(True),
    )  # fmt: skip
    model = graph.load(path)
    sites = graph.find_sites(model)
    assert sorted(site.tensor for site in sites) == ["a2", "a2_2"]
    for site in sites:
        check_cut(model, site.tensor, {"x": draw(2, 4)})


def test_binding_names_the_inputs_there_are(network):
    path = network(TWO_BRANCHES, **TWO_WEIGHTS)
    with pytest.raises(UsageError, match="cannot bind 'rate': the model's inputs are x, sr"):
        graph.load(path, {"rate": 16000})
    with pytest.raises(UsageError, match="cannot bind 'sr' to 'fast'"):
        graph.load(path, {"sr": "fast"})


def test_dropout_in_training_mode_drops_nothing(network, check_cut, run, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            h = MatMul(x, w)
            r = Relu(h)
            d = Dropout(r, ratio, training)
            y = MatMul(d, w)
        }""",
        w=(4, 4), ratio=np.float32(0.5), training=np.array(True),
    )  # fmt: skip
    model = graph.load(path)
    assert any("training mode" in note for note in model.notes)
    part = graph.expose(model, ["r", "d"])
    results = run(part, {"x": draw(3, 4)})
    np.testing.assert_array_equal(results["r"], results["d"])


def test_batch_normalization_in_training_mode_uses_its_statistics(network, run, draw):
    text = """(float[N,4] x) => (float[N,4] y) {
        h, m, v = BatchNormalization<training_mode=1>(x, one, one, one, one)
        r = Relu(h)
        y = MatMul(r, w)
    }"""
    path = network(text, w=(4, 4), one=np.ones(4, np.float32))
    model = graph.load(path)
    part = graph.expose(model, ["h"])
    x = draw(3, 4)
    expected = (x - 1) / np.sqrt(1 + 1e-5) + 1
    np.testing.assert_allclose(run(part, {"x": x})["h"], expected, rtol=1e-5)


def test_constants_in_nodes_and_bodies_become_weights_of_the_graph(network, check_cut, draw):
    path = network(
        """(float[N,2] x) => (float[N,2] y) {
            k = Constant<value = float[2,2] {1.0, -1.0, 0.5, 2.0}>()
            h = MatMul(x, k)
            r = Relu(h)
            s = ReduceSum<keepdims=0>(r)
            c = Cast<to=9>(s)
            y = If(c) <
                then_branch = yes () => (float[N,2] p) {
                    l = Constant<value = float[2,2] {1.0, 2.0, 3.0, 4.0}>()
                    p = MatMul(r, l)
                },
                else_branch = no () => (float[N,2] q) { q = Identity(r) }
            >
        }"""
    )
    model = graph.load(path)
    assert "Constant" not in ops(model)
    assert not any(body.initializers for body in model.ir.graph.subgraphs())
    check_cut(model, "r", {"x": draw(3, 2)})


def test_nodes_out_of_order_are_sorted(network, run, draw):
    path = network("(float[N,4] x) => (float[N,4] y) { h = MatMul(x, w) y = Relu(h) }", w=(4, 4))
    proto = onnx.load(path)
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(reversed(nodes))
    onnx.save(proto, path)
    assert ops(graph.load(path)) == ["MatMul", "Relu"]


def test_a_loop_of_nodes_is_refused(network):
    path = network("(float[N] x) => (float[N] y) { a = Relu(b) b = Relu(a) y = Add(a, x) }")
    with pytest.raises(ModelFileError, match="not a valid ONNX model"):
        graph.load(path)


def test_class_probabilities_are_a_tensor_instead_of_a_zipmap(network, check_cut, run, draw):
    path = network("(float[N,4] x) => (float[N,3] p, float[] q) { h = MatMul(x, w) r = Relu(h) "
                   "p = Softmax(r) q = ai.onnx.ml.ZipMap<classlabels_int64s=[0,1,2]>(p) }",
                   w=(4, 3), domains={"ai.onnx.ml": 1})  # fmt: skip
    proto = onnx.load(path)
    entry = proto.graph.output[1].type.sequence_type.elem_type.map_type
    entry.key_type, entry.value_type.tensor_type.elem_type = 7, 1
    onnx.save(proto, path)
    model = graph.load(path)
    assert model.outputs[1].dtype == "float32"
    cut = graph.split(model, "r", "q")
    results = run(cut.tail, {"r": draw(2, 3)})
    np.testing.assert_allclose(results["q"].sum(axis=1), 1, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_scikit_learn_network_keeps_labels_and_probabilities(tmp_path, draw):
    skl2onnx = pytest.importorskip("skl2onnx")
    neural = pytest.importorskip("sklearn.neural_network")
    x = draw(60, 4)
    fitted = neural.MLPClassifier((5,), max_iter=20).fit(x, np.arange(60) % 3)
    path = tmp_path / "network.onnx"
    path.write_bytes(skl2onnx.to_onnx(fitted, x[:1]).SerializeToString())
    model = graph.load(path)
    assert [spec.dtype for spec in model.outputs] == ["int64", "float32"]
    assert [site.op for site in graph.find_sites(model)] == ["Relu"]


def test_a_function_of_another_opset_may_read_weights(network, check_cut, draw):
    path = network("(float[N,4] x) => (float[N,4] y) { r = mine.block(x, w) y = MatMul(r, w) }",
                   opset=18, w=(4, 4), domains={"mine": 1})  # fmt: skip
    model = onnx.load(path)
    model.functions.append(
        onnx.parser.parse_function(
            """<domain: "mine", opset_import: ["" : 11]>
            block (a, b) => (c) { h = MatMul(a, b) c = Relu(h) }"""
        )
    )
    onnx.save(model, path)
    (site,) = graph.find_sites(graph.load(path))
    check_cut(path, site.tensor, {"x": draw(2, 4)})


@pytest.mark.parametrize(
    ("body", "crossing"),
    [
        ("s = SequenceConstruct(r, h) t = ConcatFromSequence<axis=1>(s)", ("h",)),
        ("s = SplitToSequence<axis=1>(r, two) i = SequenceAt(s, one) t = Concat<axis=1>(i, h)",
         ("h",)),
        ("e = SequenceEmpty() s = SequenceInsert(e, r) c = Identity(s) t = SequenceAt(c, none)",
         ()),
    ],
)  # fmt: skip
def test_sequences_are_typed_as_such(network, check_cut, draw, body, crossing):
    numbers = {"one": np.array(1), "two": np.array(2), "none": np.array(0)}
    path = network(
        f"(float[N,4] x) => (float[] y) {{ h = MatMul(x, w) r = Relu(h) {body} y = Neg(t) }}",
        w=(4, 4), **{name: value for name, value in numbers.items() if name in body},
    )  # fmt: skip
    assert check_cut(path, "r", {"x": draw(2, 4)}).crossing == crossing


def test_activations_in_blocks_are_found_in_the_usual_layout(network, check_cut, draw, tmp_path):
    ort = pytest.importorskip("onnxruntime")
    path = network(
        """(float[N,3,8,8] x) => (float[N,5] y) {
            a = Conv<pads=[1,1,1,1]>(x, w1) r1 = Relu(a)
            b = Conv<pads=[1,1,1,1]>(r1, w2) r2 = Relu(b)
            c = Conv<pads=[1,1,1,1]>(r2, w2) d = Add(c, r1) r3 = Relu(d)
            p = GlobalAveragePool(r3) f = Flatten(p) y = Gemm(f, w3)
        }""",
        w1=(10, 3, 3, 3), w2=(10, 10, 3, 3), w3=(10, 5),
    )  # fmt: skip
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    model = graph.load(tmp_path / "optimised.onnx")
    if "com.microsoft.nchwc" not in {node.domain for node in model.flow.nodes}:
        pytest.skip("onnxruntime uses no blocked layout on this machine")
    sites = graph.find_sites(model)
    assert [(site.status, site.feature_axis) for site in sites] == [("ok", 1)] * 3
    for site in sites:
        check_cut(model, site.tensor, {"x": draw(2, 3, 8, 8)})
