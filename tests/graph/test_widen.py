"""Half precision is widened, so that a captured tensor is the one that was computed."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph

NETWORK = """(float16[N,4] x) => (float16[N,4] y) {
    h = MatMul(x, w)
    r = Relu(h)
    wide = Cast<to=1>(r)
    s = ReduceSum<keepdims=1>(wide)
    back = Cast<to=10>(s)
    shape = Shape(x)
    ones = ConstantOfShape<value = float16[1] {15360}>(shape)
    a = Add(r, ones)
    b = Add(a, back)
    y = MatMul(b, w)
}"""


@pytest.fixture
def half(network, draw):
    """Return a network in half precision."""
    return graph.load(network(NETWORK, w=draw(4, 4).astype(np.float16)))


def test_inputs_outputs_weights_and_casts_become_single(half, check_cut, run, draw):
    wide = graph.widen(half)
    assert graph.is_half(half) and not graph.is_half(wide)
    assert [spec.dtype for spec in (*wide.inputs, *wide.outputs)] == [
        "float32",
        "float32",
    ]
    x = draw(3, 4)
    expected = run(graph.expose(half, []), {"x": x.astype(np.float16)})["y"]
    result = run(graph.expose(wide, []), {"x": x})["y"]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=2e-2, atol=2e-2)


def test_cuts_of_the_widened_model_join_exactly(half, run, draw):
    wide = graph.widen(half)
    feeds = {"x": draw(3, 4)}
    cut = graph.split(wide, "r")
    captured = {**feeds, **run(cut.head, feeds)}
    whole = run(graph.expose(wide, []), feeds)["y"]
    np.testing.assert_array_equal(run(cut.tail, captured)["y"], whole)


def test_widened_weights_can_be_shared(half, run, draw, tmp_path, network):
    model = graph.load(
        network("(float16[N,40] x) => (float16[N,40] y) { h = MatMul(x, w) y = Relu(h) }",
                name="large.onnx", w=draw(40, 40).astype(np.float16))
    )  # fmt: skip
    wide = graph.share_weights(graph.widen(model), tmp_path / "shared")
    x = draw(2, 40)
    weights = draw(40, 40).astype(np.float16).astype(np.float32)
    expected = np.maximum(x @ weights, 0)
    np.testing.assert_allclose(
        run(graph.expose(wide, []), {"x": x})["y"], expected, rtol=1e-4, atol=1e-4
    )


def test_a_model_in_single_precision_is_returned_as_it_is(network):
    model = graph.load(network("(float[N,4] x) => (float[N,4] y) { y = Relu(x) }"))
    assert graph.widen(model) is model
