"""What is written out when a model is loaded: loops of one turn, functions, optionals."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnxmem import graph
from onnxmem.errors import ModelFileError


def ops(model):
    return [node.op_type for node in model.ir.graph.all_nodes()]


LOOP = """(float[N,4] x) => (float[N,4] y) {
    a = MatMul(x, w)
    s, scanned = Loop(once, yes, a) <body = turn
        (int64 i, bool go, float[N,4] v) => (bool go_on, float[N,4] v_out, float[N,4] each) {
            go_on = Identity(go)
            r = Relu(v)
            v_out = MatMul(r, w)
            each = Identity(v_out)
        }
    >
    flat = ReduceSum<keepdims=0>(scanned, first)
    t = Add(s, flat)
    u = Relu(t)
    y = MatMul(u, w)
}"""


@pytest.mark.parametrize("turns", [1, 2])
def test_a_loop_of_one_turn_is_no_loop(network, check_cut, draw, turns):
    path = network(
        LOOP,
        w=(4, 4), once=np.array(turns), yes=np.array(True), first=np.array([0]),
    )  # fmt: skip
    model = graph.load(path)
    sites = {site.tensor: site.status for site in graph.find_sites(model)}
    assert ("Loop" in ops(model)) == (turns == 2)
    assert any("one turn" in note for note in model.notes) == (turns == 1)
    if turns == 1:
        assert sites == {"r": "ok", "u": "ok"}
        check_cut(model, "r", {"x": draw(3, 4)})
    else:
        assert sites == {"r": "unsupported", "u": "ok"}
    check_cut(model, "u", {"x": draw(3, 4)})


def old_function() -> onnx.FunctionProto:
    """Return a function of opset 12, one of whose operators has changed since."""
    return onnx.parser.parse_function(
        """<domain: "mine", opset_import: ["" : 12]>
        block (i) => (o, p) {
            s = ReduceSum<axes=[1], keepdims=1>(i)
            z = Sub(s, s)
            t = Add(i, z)
            o = Relu(t)
            p = Neg(t)
        }"""
    )


@pytest.mark.parametrize("inside", [12, 17])
@pytest.mark.parametrize("second", ["", "q"])
def test_functions_of_any_opset_are_called_twice_and_leave_results_without_a_name(
    network, run, draw, inside, second
):
    path = network(
        "(float[N,4] x) => (float[N,4] y) { h = MatMul(x, w) y = Relu(h) }",
        w=(4, 4), domains={"mine": 1},
    )  # fmt: skip
    model = onnx.load(path)
    function = old_function()
    function.opset_import[0].version = inside
    if inside == 17:
        del function.node[:3]
        function.node[0].input[0] = function.node[1].input[0] = "i"
    model.functions.append(function)
    call = onnx.helper.make_node
    names = [second and f"{second}{number}" for number in range(2)]
    del model.graph.node[:]
    model.graph.node.extend([
        call("MatMul", ["x", "w"], ["h"]),
        call("block", ["h"], ["a", names[0]], domain="mine"),
        call("MatMul", ["a", "w"], ["b"]),
        call("block", ["b"], ["y", names[1]], domain="mine"),
    ])  # fmt: skip
    onnx.save(model, path)
    loaded, feeds = graph.load(path), {"x": draw(3, 4)}
    assert [(site.tensor, site.status) for site in graph.find_sites(loaded)] == [
        ("a", "ok"), ("y", "ok"),
    ]  # fmt: skip
    weight = onnx.numpy_helper.to_array(model.graph.initializer[0])
    hidden = np.maximum(feeds["x"] @ weight, 0)
    cut = graph.split(loaded, "a")
    np.testing.assert_allclose(run(cut.head, feeds)["a"], hidden, atol=1e-5)
    expected = np.maximum(hidden @ weight, 0)
    np.testing.assert_allclose(run(graph.expose(loaded, []), feeds)["y"], expected, atol=1e-5)


def overloaded() -> list[onnx.FunctionProto]:
    """Return two overloads of one function, of which the outer calls the inner."""
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("mine", 1)]
    inner = onnx.helper.make_function(
        "mine", "act", ["a"], ["b"], [onnx.helper.make_node("Relu", ["a"], ["b"])], opsets
    )
    call = onnx.helper.make_node("act", ["a"], ["b"], domain="mine")
    inner.overload = call.overload = "inner"
    outer = onnx.helper.make_function("mine", "act", ["a"], ["b"], [call], opsets)
    outer.overload = "outer"
    return [inner, outer]


def test_overloads_of_one_name_are_different_functions(network, draw, run):
    path = network(
        "(float[N,4] x) => (float[N,4] y) { h = MatMul(x, w) y = mine.act(h) }",
        w=(4, 4), domains={"mine": 1}, ir_version=10,
    )  # fmt: skip
    model = onnx.load(path)
    model.functions.extend(overloaded())
    model.graph.node[1].overload = "outer"
    onnx.save(model, path)
    loaded = graph.load(path)
    assert [site.tensor for site in graph.find_sites(loaded)] == ["y"]
    assert run(graph.expose(loaded, []), {"x": draw(3, 4)})["y"].min() == 0


def test_an_overload_that_calls_itself_is_refused(network):
    path = network(
        "(float[N,4] x) => (float[N,4] y) { y = mine.act(x) }",
        domains={"mine": 1}, ir_version=10,
    )  # fmt: skip
    model = onnx.load(path)
    model.functions.extend(overloaded())
    model.functions[1].node[0].overload = "outer"
    model.graph.node[0].overload = "outer"
    onnx.save(model, path)
    with pytest.raises(ModelFileError, match="calls itself"):
        graph.load(path)


def test_sparse_constants_are_named_and_not_called_invalid(network):
    path = network("(float[N,4] x) => (float[N,4] y) { y = MatMul(x, w) }")
    model = onnx.load(path)
    values = onnx.numpy_helper.from_array(np.ones(4, np.float32), "w")
    places = onnx.numpy_helper.from_array(np.arange(4), "places")
    sparse = onnx.helper.make_sparse_tensor(values, places, [4, 4])
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["w"], sparse_value=sparse))
    onnx.save(model, path)
    with pytest.raises(ModelFileError, match=r"holds sparse tensors.*export dense") as caught:
        graph.load(path)
    assert "not a valid" not in str(caught.value)


OPTIONALS = {
    "around a ReLU": """{ h = MatMul(x, w) o = Optional(h) g = OptionalGetElement(o) r = Relu(g)
        y = MatMul(r, w) }""",
    "behind it": """{ h = MatMul(x, w) r = Relu(h) m = MatMul(r, w) o = Optional(m)
        y = OptionalGetElement(o) }""",
    "condition": """{ h = MatMul(x, w) o = Optional(h) c = OptionalHasElement(o)
        r = If(c) <then_branch = a () => (float[N,4] p) { g = OptionalGetElement(o) p = Relu(g) },
                   else_branch = b () => (float[N,4] q) { q = Neg(h) }>
        y = MatMul(r, w) }""",
}  # fmt: skip


@pytest.mark.parametrize("where", OPTIONALS)
def test_optionals_that_hold_something_are_what_they_hold(network, check_cut, draw, where):
    model = graph.load(network(f"(float[N,4] x) => (float[N,4] y) {OPTIONALS[where]}", w=(4, 4)))
    assert not [op for op in ops(model) if op.startswith("Optional")]
    (site,) = graph.find_sites(model)
    assert site.status == "ok"
    check_cut(model, site.tensor, {"x": draw(3, 4)})


def test_an_optional_that_is_handed_on_keeps_its_type(network, draw, check_cut):
    body = """{ h = MatMul(x, w) r = Relu(h) o = Optional(r) i = Identity(o)
        g = OptionalGetElement(i) y = MatMul(g, w) }"""
    path = network(f"(float[N,4] x) => (float[N,4] y) {body}", w=(4, 4))
    check_cut(path, "r", {"x": draw(3, 4)})


def test_an_optional_input_takes_samples(network, draw, run):
    path = network("(float[N,4] x) => (float[N,4] y) { h = OptionalGetElement(x) y = Relu(h) }")
    model = onnx.load(path)
    tensor = onnx.helper.make_tensor_type_proto(1, ["N", 4])
    model.graph.input[0].type.CopyFrom(onnx.helper.make_optional_type_proto(tensor))
    onnx.save(model, path)
    loaded, x = graph.load(path), draw(3, 4)
    assert (loaded.inputs[0].dtype, loaded.inputs[0].shape) == ("float32", ("N", 4))
    np.testing.assert_array_equal(run(graph.expose(loaded, []), {"x": x})["y"], np.maximum(x, 0))
