"""A model exported for one batch size is freed from it."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph


def freed_against_singles(run, model, x):
    free = graph.free_batch(model)
    part = graph.expose(free, [])
    together = run(part, {"x": x})["y"]
    singles = [run(graph.expose(model, []), {"x": row[None]})["y"] for row in x]
    np.testing.assert_allclose(together, np.concatenate(singles), rtol=1e-5, atol=1e-6)
    return free


@pytest.mark.parametrize("target", [[1, 8], [1, -1], [-1, 8], [1, 2, 4]])
def test_the_batch_in_a_reshape_is_freed(network, run, draw, target):
    path = network(
        """(float[1,2,4] x) => (float[] y) {
            r = Relu(x)
            y = Reshape(r, target)
        }""",
        target=np.array(target),
    )
    model = graph.load(path)
    assert graph.native_batch(model) == 1
    free = freed_against_singles(run, model, draw(3, 2, 4))
    assert free.inputs[0].shape == ("batch", 2, 4)
    assert graph.native_batch(free) is None
    assert free.notes == ("batch size freed (exported for 1)",)


def test_inputs_and_outputs_are_relabelled_and_cuts_follow(network, run, draw):
    path = network(
        """(float[1,2,6,6] x) => (float[1,3] y) {
            c = Conv<pads=[1,1,1,1]>(x, k)
            r = Relu(c)
            p = GlobalAveragePool(r)
            f = Reshape(p, target)
            y = MatMul(f, w)
        }""",
        k=(4, 2, 3, 3), w=(4, 3), target=np.array([1, 4]),
    )  # fmt: skip
    free = freed_against_singles(run, graph.load(path), draw(4, 2, 6, 6))
    assert free.outputs[0].shape == ("batch", 3)
    cut = graph.split(free, "r")
    captured = run(cut.head, {"x": draw(4, 2, 6, 6)})
    assert run(cut.tail, captured)["y"].shape == (4, 3)


def test_a_wrong_shape_of_the_output_does_not_mislead(network, run, draw):
    path = network(
        "(float[1,2,4] x) => (float y) { r = Relu(x) y = Reshape(r, target) }",
        target=np.array([1, -1]),
    )
    freed_against_singles(run, graph.load(path), draw(3, 2, 4))


def test_the_model_itself_keeps_its_batch_size(network):
    model = graph.load(network("(float[1,4] x) => (float[1,4] y) { y = Relu(x) }"))
    graph.free_batch(model)
    assert model.inputs[0].shape == (1, 4)
    assert model.ir.graph.inputs[0].shape[0] == 1


@pytest.mark.parametrize(
    "inputs",
    [
        "float[N,4] x",
        "float x",
        "float[1,4] x, float[N,4] z",
    ],
)
def test_a_model_without_one_native_batch_size_is_returned_as_it_is(network, inputs):
    model = graph.load(network(f"({inputs}) => (float[] y) {{ y = Relu(x) }}"))
    assert graph.native_batch(model) is None
    assert graph.free_batch(model) is model


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("(float[1,6] x, float[6] scale) => (float[1,6] y)", 1),
        ("(float[6] scale, float[4,6] x) => (float[4,6] y)", 4),
        ("(float[N,6] x, float[6] scale) => (float[N,6] y)", None),
    ],
)
def test_an_input_common_to_all_samples_does_not_hide_the_batch_size(network, text, size):
    model = graph.load(network(f"{text} {{ r = Relu(x) y = Mul(r, scale) }}"))
    assert graph.native_batch(model) == size


def test_the_axis_that_may_count_samples_instead_of_the_first(network):
    text = "(float[7,N,6] x, float[N,6] z) => (float[7,N,6] y) { r = Relu(x) y = Add(r, z) }"
    assert graph.free_elsewhere(graph.load(network(text))) == (("x", 1),)


def test_operators_that_look_at_the_whole_batch_are_named(network):
    text = """(float[N,6] x) => (float[N,6] y) {
        r = Relu(x) q, s, z = DynamicQuantizeLinear(r) y = DequantizeLinear(q, s, z)
    }"""
    assert graph.whole_batch(graph.load(network(text))) == ("DynamicQuantizeLinear",)
