"""Whole networks: run once, walked back as often as asked, with all that exporters make of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import text_networks
from onnx import numpy_helper, parser
from operator_gradients import HERE, apart, check_network, loaded

from onnxmem import graph
from onnxmem.errors import InconclusiveError, UsageError
from onnxmem.gradients import Gradients, cross_entropy, find_weights, logits

EXPORTS = Path(__file__).parent.parent / "exports"


def proto_of(text: str, opset: int = 17, domains: str = "", **weights: Any) -> onnx.ModelProto:
    """Parse a network; weights are arrays, or shapes to draw."""
    proto = parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}{domains}]> net {text}')
    for at, (name, what) in enumerate(weights.items()):
        array = apart(*what, seed=at, gap=0.03) if isinstance(what, tuple) else np.asarray(what)
        proto.graph.initializer.append(numpy_helper.from_array(array, name))
    return proto


RESIDUAL = proto_of(
    """(float[N,6] x) => (float[N,3] y, float[N,4] r2) {
        a = MatMul(x, w1)  r1 = Relu(a)  b = MatMul(r1, w2)  r2 = Relu(b)
        s = Add(r1, r2)  t = Mul(s, r1)  y = MatMul(t, w3)
    }""",
    w1=(6, 4), w2=(4, 4), w3=(4, 3),
)  # fmt: skip
FEEDS = {"x": apart(5, 6, gap=0.05)}


@pytest.mark.parametrize("outputs", [["y"], ["r2"], ["y", "r2"], ["s"]])
def test_tensors_that_are_read_several_times_get_the_sum(outputs: list[str]) -> None:
    wrt = ["x", "r1"] if outputs == ["r2"] else ["x", "r1", "r2"]
    check_network(RESIDUAL, FEEDS, wrt, outputs)


def test_a_tensor_that_is_the_output_itself() -> None:
    check_network(RESIDUAL, FEEDS, ["y", "r1"], ["y"])


def test_one_run_serves_several_walks() -> None:
    forward = Gradients(loaded(RESIDUAL), HERE, ["y"], wrt=["r1"]).run(FEEDS)
    seeds = [apart(5, 3, seed=at) for at in range(2)]
    one, other = (forward.backward(seed).arrays["r1"] for seed in seeds)
    both = forward.backward(seeds[0] + seeds[1]).arrays["r1"]
    np.testing.assert_allclose(one + other, both, atol=1e-5)


def test_values_and_gradients_have_samples_first_and_fit_together() -> None:
    forward = Gradients(loaded(RESIDUAL), HERE, ["y"], wrt=["r1", "x"]).run(FEEDS)
    backward = forward.backward(np.ones((5, 3), np.float32))
    assert backward.samples == 5
    assert backward.value("r1").shape == backward.gradient("r1").shape == (5, 4)
    np.testing.assert_array_equal(backward.value("x"), FEEDS["x"])
    assert forward.nbytes >= backward.value("r1").nbytes


def test_a_sample_gets_what_it_gets_alone() -> None:
    made = Gradients(loaded(RESIDUAL), HERE, ["y"], wrt=["r1"])
    seed = apart(5, 3, seed=1)
    together = made.run(FEEDS).backward(seed).gradient("r1")
    for at in range(5):
        row = slice(at, at + 1)
        alone = made.run({"x": FEEDS["x"][row]}).backward(seed[row]).gradient("r1")
        np.testing.assert_allclose(alone, together[row], atol=1e-6)


def test_batches_run_at_once() -> None:
    made = Gradients(loaded(RESIDUAL), HERE, ["y"], wrt=["r1"], weights=["w2"])
    feeds = [{"x": apart(4, 6, seed=at, gap=0.05)} for at in range(8)]

    def run(fed: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        backward = made.run(fed).backward(np.ones((4, 3), np.float32))
        return backward.gradient("r1"), backward.weight("w2").squared_norms()

    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(run, feeds))
    for fed, found in zip(feeds, at_once, strict=True):
        for ours, theirs in zip(run(fed), found, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("exact", [False, True])
def test_float64_stays_float64(exact: bool) -> None:
    weights = {"w": np.linspace(-1, 1, 12).reshape(4, 3)}
    proto = proto_of("(double[N,4] x) => (double[N,3] y) { a = MatMul(x, w)  y = Tanh(a) }",
                     **weights)  # fmt: skip
    x = apart(3, 4).astype(np.float64)
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=["x"], exact=exact).run({"x": x})
    found = forward.backward(np.ones((3, 3))).arrays["x"]
    assert found.dtype == np.float64
    y = np.tanh(x @ weights["w"])
    np.testing.assert_allclose(found, (1 - y * y) @ weights["w"].T, rtol=1e-12)


def test_half_precision_is_widened() -> None:
    w = apart(4, 3).astype(np.float16)
    proto = proto_of("(float16[N,4] x) => (float16[N,3] y) { a = MatMul(x, w)  y = Relu(a) }", w=w)
    x = apart(3, 4).astype(np.float16)
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=["x"], weights=["w"]).run({"x": x})
    backward = forward.backward(np.ones((3, 3), np.float32))
    live = (x.astype(np.float32) @ w.astype(np.float32) > 0).astype(np.float32)
    assert backward.arrays["x"].dtype == np.float32
    np.testing.assert_allclose(backward.arrays["x"], live @ w.astype(np.float32).T, rtol=1e-3)
    assert backward.weight("w").squared_norms().shape == (3,)


def test_weights_may_lie_outside_of_the_file(tmp_path: Path) -> None:
    inside = text_networks.write_residual(tmp_path / "inside.onnx")
    outside = text_networks.store_outside(inside, tmp_path / "outside.onnx")
    shared = graph.share_weights(graph.load(inside), tmp_path / "shared")
    x = apart(3, 8, gap=0.05)
    found = []
    for model in (graph.load(inside), graph.load(outside), shared):
        made = Gradients(model, HERE, ["y"], wrt=["x", "r1"], weights=["w2"])
        backward = made.run({"x": x}).backward(np.ones((3, 4), np.float32))
        found.append([backward.arrays["x"], backward.weight("w2").each()])
    for other in found[1:]:
        for ours, theirs in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_constants_that_are_computed_are_computed_once() -> None:
    proto = proto_of(
        "(float[N,4] x) => (float[N,3] y) { t = Transpose(w)  s = Mul(t, two)  y = MatMul(x, s) }",
        w=(3, 4), two=np.float32(2),
    )  # fmt: skip
    check_network(proto, {"x": apart(3, 4)}, ["x"], ["y"])
    assert [weight.name for weight in find_weights(loaded(proto))] == ["s"]


def test_a_seed_of_another_shape_is_wrong_usage() -> None:
    forward = Gradients(loaded(RESIDUAL), HERE, ["y"], wrt=["x"]).run(FEEDS)
    with pytest.raises(UsageError, match=r"'y' has its shape \(5, 3\), not \(5,\)"):
        forward.backward(np.ones(5, np.float32))


def test_seeds_of_any_precision_are_taken_one_for_each_output() -> None:
    forward = Gradients(loaded(RESIDUAL), HERE, ["y", "r2"], wrt=["x"]).run(FEEDS)
    seeds = apart(5, 3), apart(5, 4)
    wide = [seed.astype(np.float64) for seed in seeds]
    ours, theirs = (forward.backward(*one).arrays["x"] for one in (seeds, wide))
    np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(UsageError, match="2 outputs take as many gradients, not 1"):
        forward.backward(seeds[0])


def test_one_number_for_the_whole_batch_has_no_samples() -> None:
    proto = proto_of("(float[N,4] x) => (float y) { y = ReduceSum<keepdims = 0>(x) }")
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=["x"]).run({"x": apart(3, 4)})
    backward = forward.backward(np.ones((), np.float32))
    np.testing.assert_array_equal(backward.arrays["x"], np.ones((3, 4)))
    with pytest.raises(InconclusiveError, match="'y' is one number for the whole batch"):
        backward.gradient("x")


def test_a_missing_input_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="input 'x' is missing"):
        Gradients(loaded(RESIDUAL), HERE, ["y"], wrt=["x"]).run({})


def test_what_all_samples_share_has_no_gradient_of_each() -> None:
    proto = proto_of(
        "(float[N,4] x, float[4] scale) => (float[N,3] y) { s = Mul(x, scale)  y = MatMul(s, w) }",
        w=(4, 3),
    )  # fmt: skip
    feeds = {"x": apart(4, 4), "scale": apart(4, seed=1)}
    made = Gradients(loaded(proto), HERE, ["y"], wrt=["scale", "x"])
    backward = made.run(feeds).backward(apart(4, 3))
    assert backward.gradient("x").shape == (4, 4)
    assert backward.arrays["scale"].shape == (4,)
    with pytest.raises(InconclusiveError, match="'scale' does not keep the samples"):
        backward.gradient("scale")


def test_a_dead_network_has_gradients_of_zero() -> None:
    proto = proto_of("(float[N,4] x) => (float[N,4] y) { a = Relu(x)  y = Neg(a) }")
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=["x"]).run(
        {"x": -np.ones((3, 4), np.float32)}
    )
    found = forward.backward(np.ones((3, 4), np.float32)).gradient("x")
    np.testing.assert_array_equal(found, np.zeros((3, 4)))


def test_empty_tensors_have_empty_gradients() -> None:
    proto = proto_of(
        "(float[N,3,0] x, float[N,4] z) => (float[N,5] y) { m = MatMul(x, w)  r = Relu(m)  "
        "p = ReduceProd<axes = [2], keepdims = 0>(x)  e = ReduceSum<keepdims = 0>(r, middle)  "
        "s = ReduceSum<keepdims = 0>(p, last)  u = Unsqueeze(s, last)  a = Add(e, u)  "
        "b = MatMul(z, v)  y = Add(a, b) }",
        w=np.zeros((0, 5), np.float32), v=(4, 5), middle=np.array([1]), last=np.array([1]),
    )  # fmt: skip
    feeds = {"x": np.zeros((2, 3, 0), np.float32), "z": apart(2, 4)}
    made = Gradients(loaded(proto), HERE, ["y"], wrt=["x", "z", "r"])
    backward = made.run(feeds).backward(np.ones((2, 5), np.float32))
    assert backward.arrays["x"].shape == (2, 3, 0)
    assert backward.arrays["z"].all() and backward.arrays["r"].all()


@pytest.mark.filterwarnings("error")
def test_numbers_beyond_float32_are_no_warnings() -> None:
    proto = proto_of("(float[N,4] x) => (float[N,3] y) { e = Exp(x)  y = MatMul(e, w) }", w=(4, 3))
    made = Gradients(loaded(proto), HERE, ["y"], wrt=["x"], weights=["w"])
    backward = made.run({"x": np.full((2, 4), 99, np.float32)}).backward(apart(2, 3))
    assert not np.isfinite(backward.gradient("x")).all()
    assert not np.isfinite(backward.weight("w").squared_norms()).all()


FUSED = {
    "conv": (
        "(float[N,2,5,5] x) => (float[N,3,3,3] y) { t = com.microsoft.FusedConv"
        '<activation = "Relu">(x, k, b)  y = Mul(t, t) }',
        {"k": (3, 2, 3, 3), "b": (3,)}, (2, 2, 5, 5), "x", "t"),
    "gemm": (
        '(float[N,4] x) => (float[N,3] y) { t = com.microsoft.FusedGemm<activation = "LeakyRelu", '
        "activation_alpha = 0.3>(x, w, b)  y = Mul(t, t) }",
        {"w": (4, 3), "b": (3,)}, (3, 4), "x", "t"),
    "gelu": (
        "(float[N,4] x) => (float[N,4] y) { a = com.microsoft.BiasGelu(x, b) "
        "c = com.microsoft.FastGelu(a, b)  t = com.microsoft.Gelu(c)  y = Mul(t, t) }",
        {"b": (4,)}, (3, 4), "x", "t"),
    "normalization": (
        "(float[N,2,4] x) => (float[N,2,4] y) { a = Relu(x)  "
        "t, m, v, s = com.microsoft.SkipLayerNormalization(x, a, g, b, c)  y = Mul(t, s) }",
        {"g": (4,), "b": (4,), "c": (4,)}, (3, 2, 4), "x", "t"),
}  # fmt: skip


@pytest.mark.parametrize("what", FUSED)
def test_fused_operators(what: str) -> None:
    text, weights, shape, *wrt = FUSED[what]
    proto = proto_of(text, domains=', "com.microsoft": 1', **weights)
    check_network(proto, {"x": apart(*shape, gap=0.05)}, wrt, ["y"], coarse=True)


@pytest.mark.parametrize("path", sorted(EXPORTS.glob("*.*.onnx")), ids=lambda path: path.stem)
def test_exports_of_all_frameworks_have_the_gradients_of_the_network(path: Path) -> None:
    own, model = graph.load(EXPORTS / f"{path.name.partition('.')[0]}.onnx"), graph.load(path)
    x = np.random.default_rng(0).normal(size=(4, *own.inputs[0].shape[1:])).astype(np.float32)
    turned = x.ndim == 4 and model.inputs[0].shape[1] != 1
    ours, norms = at_input_and_weights(model, np.moveaxis(x, 1, -1) if turned else x)
    theirs, expected = at_input_and_weights(own, x)
    ours = np.moveaxis(ours, -1, 1) if turned else ours
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())
    assert len(norms) == len(expected)
    if "norm-kept" not in path.name:  # where the weights are others, and norms scale them
        np.testing.assert_allclose(norms, expected, rtol=2e-3)


def at_input_and_weights(model: graph.Model, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return gradients of the loss at the first class: at the input, and norms by weight."""
    scores = next(spec.name for spec in reversed(model.outputs) if spec.dtype == "float32")
    weights = [weight.name for weight in find_weights(model)]
    fed = model.inputs[0].name
    made = Gradients(model, HERE, [logits(model, scores)], wrt=[fed], weights=weights)
    forward = made.run({fed: x})
    seed = cross_entropy(forward.outputs[0], np.zeros(len(x), np.int64)).gradient
    backward = forward.backward(seed)
    return backward.gradient(fed), [backward.weight(name).squared_norms() for name in weights]
