"""Head and tail joined again are the model, whatever crosses the cut."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnxmem import graph
from onnxmem.errors import UsageError

CHAIN = """(float[N,3,8,8] x) => (float[N,5] y) {
    c1 = Conv<pads=[1,1,1,1]>(x, w1)
    r1 = Relu(c1)
    c2 = Conv<pads=[1,1,1,1]>(r1, w2)
    r2 = Relu(c2)
    p = GlobalAveragePool(r2)
    f = Flatten(p)
    y = Gemm(f, w3)
}"""
CHAIN_WEIGHTS = {"w1": (8, 3, 3, 3), "w2": (8, 8, 3, 3), "w3": (8, 5)}


def test_a_plain_chain_needs_no_crossing_tensor(network, check_cut, draw):
    path = network(CHAIN, **CHAIN_WEIGHTS)
    for tensor in ("r1", "r2"):
        cut = check_cut(path, tensor, {"x": draw(3, 3, 8, 8)})
        assert cut.crossing == () and cut.direct == ()
        assert cut.head.inputs == ("x",)


def test_the_branch_of_a_residual_block_crosses(network, check_cut, draw):
    path = network(
        """(float[N,4,6,6] x) => (float[N,4,6,6] y) {
            r1 = Relu(x)
            c = Conv<pads=[1,1,1,1]>(r1, w)
            r2 = Relu(c)
            s = Add(r2, r1)
            y = Conv<pads=[1,1,1,1]>(s, w)
        }""",
        w=(4, 4, 3, 3),
    )
    feeds = {"x": draw(2, 4, 6, 6)}
    assert check_cut(path, "r1", feeds).crossing == ()
    assert check_cut(path, "r2", feeds).crossing == ("r1",)


def test_all_earlier_layers_of_a_dense_block_cross(network, check_cut, draw):
    path = network(
        """(float[N,2,6,6] x) => (float[N,3,6,6] y) {
            c1 = Conv<pads=[1,1,1,1]>(x, w1)
            r1 = Relu(c1)
            j1 = Concat<axis=1>(x, r1)
            c2 = Conv<pads=[1,1,1,1]>(j1, w2)
            r2 = Relu(c2)
            j2 = Concat<axis=1>(x, r1, r2)
            c3 = Conv<pads=[1,1,1,1]>(j2, w3)
            r3 = Relu(c3)
            j3 = Concat<axis=1>(x, r1, r2, r3)
            y = Conv(j3, w4)
        }""",
        w1=(2, 2, 3, 3), w2=(2, 4, 3, 3), w3=(2, 6, 3, 3), w4=(3, 8, 1, 1),
    )  # fmt: skip
    cut = check_cut(path, "r3", {"x": draw(2, 2, 6, 6)})
    assert cut.crossing == ("r1", "r2")
    assert cut.direct == ("x",)


def test_an_input_that_the_tail_reads_is_direct(network, check_cut, draw):
    path = network(
        """(float[N,4] x, float[N,4] mask, float[N,4] unused) => (float[N,4] y, float[N,4] z) {
            h = MatMul(x, w)
            r = Relu(h)
            m = Mul(r, mask)
            y = MatMul(m, w)
            z = Identity(unused)
        }""",
        w=(4, 4),
    )
    feeds = {"x": draw(3, 4), "mask": draw(3, 4), "unused": draw(3, 4)}
    cut = check_cut(path, "r", feeds)
    assert (cut.crossing, cut.direct, cut.outputs) == ((), ("mask",), ("y",))
    assert cut.head.inputs == ("x",)


def test_a_shape_computed_before_the_cut_crosses_and_one_of_constants_does_not(
    network, check_cut, draw
):
    path = network(
        """(float[N,4,2] x) => (float[N,8] y) {
            shape = Shape(x)
            n = Gather<axis=0>(shape, zero)
            eight = Add(four, four)
            target = Concat<axis=0>(n, eight)
            c = MatMul(x, w)
            r = Relu(c)
            y = Reshape(r, target)
        }""",
        w=(2, 2), zero=np.array([0]), four=np.array([4]),
    )  # fmt: skip
    cut = check_cut(path, "r", {"x": draw(3, 4, 2)})
    assert cut.crossing == ("target",)


def test_constant_computations_are_repeated_in_the_tail(network, check_cut, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            t = Transpose(w)
            h = MatMul(x, t)
            r = Relu(h)
            y = MatMul(r, t)
        }""",
        w=(4, 4),
    )
    assert check_cut(path, "r", {"x": draw(2, 4)}).crossing == ()


def test_what_the_body_of_an_if_captures_crosses(network, check_cut, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            a = MatMul(x, w)
            h = MatMul(a, w)
            r = Relu(h)
            s = ReduceSum<keepdims=0>(r)
            large = Greater(s, one)
            y = If(large) <
                then_branch = yes () => (float[N,4] p) { q = Add(a, r)  p = Tanh(q) },
                else_branch = no () => (float[N,4] z) { z = Sub(r, x) }
            >
        }""",
        w=(4, 4), one=np.float32(1.0),
    )  # fmt: skip
    cut = check_cut(path, "r", {"x": draw(3, 4)})
    assert (cut.crossing, cut.direct) == (("a",), ("x",))


def test_what_a_nested_body_captures_crosses(network, check_cut, draw):
    path = network(
        """(float[N,4] x, int64 trips) => (float[N,4] y) {
            a = MatMul(x, w)
            h = MatMul(a, w)
            r = Relu(h)
            y = Loop(trips, always, r) <
                body = step (int64 i, bool go, float[N,4] state) => (bool next, float[N,4] out) {
                    next = Identity(go)
                    s = ReduceSum<keepdims=0>(state)
                    big = Greater(s, one)
                    out = If(big) <
                        then_branch = yes () => (float[N,4] p) { p = Sub(state, a) },
                        else_branch = no () => (float[N,4] q) { q = Add(state, a) }
                    >
                }
            >
        }""",
        w=(4, 4), one=np.float32(1.0), always=np.array(True),
    )  # fmt: skip
    feeds = {"x": draw(3, 4), "trips": np.array(3)}
    cut = check_cut(path, "r", feeds)
    assert (cut.crossing, cut.direct) == (("a",), ("trips",))


def test_a_tensor_that_is_an_output_itself_is_handed_on_by_the_tail(network, check_cut, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] r, float[N,4] y) {
            h = MatMul(x, w)
            r = Relu(h)
            y = MatMul(r, w)
        }""",
        w=(4, 4),
    )
    cut = check_cut(path, "r", {"x": draw(2, 4)})
    assert cut.outputs == ("r", "y")
    assert cut.tail.outputs == ("r", "y")
    assert graph.split(graph.load(path), "r").tail == cut.tail


def test_one_of_several_outputs_can_be_chosen(network, check_cut, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] y, float[N,4] z) {
            h = MatMul(x, w)
            r = Relu(h)
            q = Relu(x)
            y = MatMul(r, w)
            z = Add(r, q)
        }""",
        w=(4, 4),
    )
    cut = check_cut(path, "r", {"x": draw(2, 4)}, output="y")
    assert (cut.outputs, cut.crossing) == (("y",), ())
    assert check_cut(path, "r", {"x": draw(2, 4)}).crossing == ("q",)


@pytest.mark.parametrize(
    ("tensor", "output", "words"),
    [
        ("nothing", None, "computes no tensor 'nothing'"),
        ("x", None, "computes no tensor 'x'"),
        ("r", "nothing", "no output 'nothing'; it has: y, z"),
        ("r", "z", "output 'z' .* does not depend on tensor 'r'"),
        ("dead", None, "no output .* depends on tensor 'dead'"),
    ],
)
def test_what_cannot_be_cut_is_named(network, tensor, output, words):
    path = network(
        """(float[N,4] x) => (float[N,4] y, float[N,4] z) {
            r = Relu(x)
            y = Identity(r)
            z = Tanh(x)
            dead = Relu(x)
        }"""
    )
    with pytest.raises(UsageError, match=words):
        graph.split(graph.load(path), tensor, output)


def test_every_output_of_a_node_is_followed(network, check_cut, draw):
    path = network(
        """(float[N,4] x) => (float[N,2] y) {
            h = MatMul(x, w)
            r = Relu(h)
            left, right = Split<axis=1>(r)
            q = Relu(x)
            other, rest = Split<axis=1>(q)
            y = Add(right, rest)
        }""",
        opset=13, w=(4, 4),
    )  # fmt: skip
    assert check_cut(path, "r", {"x": draw(2, 4)}).crossing == ("rest",)
    assert check_cut(path, "q", {"x": draw(2, 4)}).crossing == ("right",)


def test_random_numbers_cross_so_that_both_sides_see_the_same(network, run, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            noise = RandomNormal<shape=[1,4]>()
            h = Add(x, noise)
            r = Relu(h)
            y = Add(r, noise)
        }"""
    )
    cut = graph.split(graph.load(path), "r")
    assert cut.crossing == ("noise",)
    feeds = {"x": draw(2, 4)}
    captured = run(cut.head, feeds)
    result = run(graph.with_input_types(cut.tail, {}), captured)
    np.testing.assert_array_equal(result["y"], captured["r"] + captured["noise"])


def test_random_numbers_from_a_body_cross(network):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            noise = If(always) <
                then_branch = yes () => (float[1,4] p) { p = RandomNormal<shape=[1,4]>() },
                else_branch = no () => (float[1,4] q) { q = Identity(zeros) }
            >
            h = Add(x, noise)
            r = Relu(h)
            y = Add(r, noise)
        }""",
        always=np.full((2,), True), zeros=(1, 4),
    )  # fmt: skip
    assert graph.split(graph.load(path), "r").crossing == ("noise",)


def test_operators_that_look_at_the_whole_batch_are_named(network, check_cut, draw):
    path = network(
        """(float[N,4] x) => (float[N,4] y) {
            r = Relu(x)
            q, scale, zero = DynamicQuantizeLinear(r)
            y = DequantizeLinear(q, scale, zero)
        }"""
    )
    assert check_cut(path, "r", {"x": draw(2, 4)}).whole_batch == ("DynamicQuantizeLinear",)


def test_the_same_cut_gives_the_same_bytes(network):
    path = network(CHAIN, **CHAIN_WEIGHTS)
    first, second = (graph.split(graph.load(path), "r1") for _ in range(2))
    assert first.head.proto == second.head.proto
    assert first.tail.proto == second.tail.proto


def test_exposed_tensors_are_typed_outputs_of_a_valid_model(network, run, draw):
    path = network(CHAIN, **CHAIN_WEIGHTS)
    part = graph.expose(graph.load(path), ["r1", "r2"])
    proto = onnx.ModelProto.FromString(part.proto)
    onnx.checker.check_model(proto, full_check=True)
    assert part.outputs == ("y", "r1", "r2")
    assert [dim.dim_value for dim in proto.graph.output[1].type.tensor_type.shape.dim][1:] == [
        8,
        8,
        8,
    ]
    assert run(part, {"x": draw(2, 3, 8, 8)})["r1"].min() == 0


def test_no_size_of_an_inner_tensor_is_stated_in_a_part(network):
    path = network(
        """(float[2,4] x, bool c) => (float[2,4] y) <float[2,4] h, float[2,4] r> {
            h = MatMul(x, w)
            r = Relu(h)
            y = If(c) <
                then_branch = yes () => (float[2,4] p) <float[2,4] a> { a = Tanh(r) p = Tanh(a) },
                else_branch = no () => (float[2,4] q) { q = Identity(r) }
            >
        }""",
        w=(4, 4),
    )
    cut = graph.split(graph.load(path), "r")
    for part in (cut.head, cut.tail):
        inner = onnx.ModelProto.FromString(part.proto).graph
        bodies = [a.g for node in inner.node for a in node.attribute if a.HasField("g")]
        infos = [info for owner in (inner, *bodies) for info in owner.value_info]
        assert infos
        assert not any(info.type.tensor_type.HasField("shape") for info in infos)


def test_parts_do_not_fix_the_batch_size(network, run, draw):
    path = network(CHAIN.replace("float[N", "float[2"), **CHAIN_WEIGHTS)
    cut = graph.split(graph.load(path), "r1")
    for batch in (2, 5):
        captured = draw(batch, 8, 8, 8)
        assert run(cut.tail, {"r1": captured})["y"].shape == (batch, 5)


@pytest.mark.parametrize("samples", [2, 3])
def test_a_resize_to_sizes_that_cross_the_cut_loads_by_itself(network, check_cut, draw, samples):
    path = network(
        """(float[N,3,H,W] x) => (float[N,4,H,W] y) {
            c = Conv<pads=[1,1,1,1]>(x, w1)
            r = Relu(c)
            p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(r)
            d = Conv<pads=[1,1,1,1]>(p, w2)
            s = Relu(d)
            all = Shape(r)
            hw = Slice(all, two, four)
            own = Shape(s)
            nc = Slice(own, zero, two)
            sizes = Concat<axis=0>(nc, hw)
            up = Resize<mode="nearest">(s, , , sizes)
            y = Add(up, r)
        }""",
        w1=(4, 3, 3, 3), w2=(4, 4, 3, 3), two=np.array([2]), four=np.array([4]),
        zero=np.array([0]),
    )  # fmt: skip
    feeds = {"x": draw(samples, 3, 8, 8)}
    for tensor in ("r", "s"):
        check_cut(path, tensor, feeds)
    ort = pytest.importorskip("onnxruntime")
    cut = graph.split(graph.load(path), "s")
    free = {"hw": ("int64", (None,)), "r": ("float32", (None,) * 4), "s": ("float32", (None,) * 4)}
    assert cut.crossing == ("r", "hw")
    ort.InferenceSession(graph.with_input_types(cut.tail, free).proto)
    ort.InferenceSession(cut.tail.proto)
