"""What no gradient passes is refused by name before anything runs; what only steers is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper, parser
from operator_gradients import HERE, loaded

from onnxmem.errors import NoGradientError, UsageError
from onnxmem.gradients import Gradients, why_not

ONES = np.ones(4, np.float32)


def model_in(text: str, *, opset: int = 17, domains: str = "", **weights: np.ndarray) -> Any:
    """Load a network from x (N, 4) to y (N, 4); w (4, 4) stands ready."""
    proto = parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}{domains}]> net '
        f"(float[N,4] x) => (float[N,4] y) {{ {text} }}"
    )
    for name, array in {"w": np.eye(4, dtype=np.float32), **weights}.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    return loaded(proto)


def gradients(text: str, wrt: str = "x", **options: Any) -> Gradients:
    return Gradients(model_in(text, **options), HERE, ["y"], wrt=[wrt])


REFUSED = {
    "Round": "a = Round(x)  y = Mul(a, x)",
    "Floor": "a = Floor(x)  y = MatMul(a, w)",
    "Ceil": "y = Ceil(x)",
    "Sign": "a = Sign(x)  y = Mul(a, x)",
    "Mod": "y = Mod<fmod = 1>(x, x)",
    "Hardmax": "y = Hardmax(x)",
    "Cast": "a = Cast<to = 7>(x)  y = Cast<to = 1>(a)",
    "CastLike": "a = CastLike(x, whole)  y = Cast<to = 1>(a)",
    "ArgMax": "a = ArgMax<axis = 1>(x)  b = Cast<to = 1>(a)  y = Add(x, b)",
    "QuantizeLinear": "q = QuantizeLinear(x, one, zero)  y = DequantizeLinear(q, one, zero)",
    "DequantizeLinear": "q = QuantizeLinear(x, one, zero)  y = DequantizeLinear(q, one, zero)",
    "DynamicQuantizeLinear": "q, s, z = DynamicQuantizeLinear(x)  y = DequantizeLinear(q, s, z)",
    "If": "t = ReduceMax<keepdims = 0>(x)  c = Greater(t, one)  y = If(c) "
    "<then_branch = a () => (float[N,4] p) { p = Identity(x) }, "
    "else_branch = b () => (float[N,4] q) { q = Neg(x) }>",
    "Loop": "y = Loop(three, yes, x) <body = step (int64 i, bool c, float[N,4] s) "
    "=> (bool d, float[N,4] r) { d = Identity(c)  r = MatMul(s, w) }>",
    "RNN": "u = Unsqueeze(x, axis)  r = RNN<hidden_size = 4>(u, r1, r1)  y = Squeeze(r, axes)",
    "SequenceConstruct": "s = SequenceConstruct(x, x)  y = SequenceAt(s, place)",
    "ScatterElements": "y = ScatterElements<axis = 1, reduction = \"mul\">(x, places, few)",
    "Einsum": 'a = Einsum<equation = "nn->n">(x)  b = Unsqueeze(a, last)  y = Add(x, b)',
    "Resize": 'a = Unsqueeze(x, axis)  b = Resize<coordinate_transformation_mode = '
    '"tf_crop_and_resize", mode = "linear">(a, region, scales)  y = Squeeze(b, axis)',
}  # fmt: skip
WEIGHTS = {
    "one": np.float32(1), "zero": np.uint8(0), "whole": np.int64(1), "three": np.int64(3),
    "yes": np.array(True), "place": np.int64(1), "axis": np.array([0]), "last": np.array([1]),
    "axes": np.array([0, 1]), "r1": np.ones((1, 4, 4), np.float32),
    "places": np.array([[0, 2]]), "few": np.ones((1, 2), np.float32),
    "region": np.array([0, 0, 0, 1, 1, 1], np.float32), "scales": np.ones(3, np.float32),
}  # fmt: skip


@pytest.mark.parametrize("op", REFUSED)
def test_what_has_no_gradient_is_named(op: str) -> None:
    with pytest.raises(NoGradientError, match=rf"passes .*{op} '"):
        gradients(REFUSED[op], opset=19, **WEIGHTS)


def test_all_that_stand_in_the_way_are_named_with_their_nodes() -> None:
    with pytest.raises(NoGradientError, match="Floor 'a', Round 'b', Ceil 'y'"):
        gradients("a = Floor(x)  b = Round(a)  y = Ceil(b)")


def test_dropout_that_may_train_is_refused() -> None:
    proto = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> net (float[N,4] x, bool train) => (float[N,4] y)'
        "{ h = Constant<value = float {0.5}>()  y = Dropout(x, h, train) }"
    )
    with pytest.raises(NoGradientError, match=r"Dropout 'y' .in training mode."):
        Gradients(loaded(proto), HERE, ["y"], wrt=["x"])


def test_batch_normalization_that_trains_is_refused() -> None:
    text = (
        "n, m, v = BatchNormalization<training_mode = 1>(x, o, o, o, o)  a = Add(n, m)  "
        "y = Add(a, v)"
    )
    with pytest.raises(NoGradientError, match="BatchNormalization"):
        gradients(text, o=ONES)


SERVED = {
    "sizes": "s = Shape(x)  f = Cast<to = 1>(s)  p = ReduceProd<keepdims = 0>(f)  y = Mul(x, p)",
    "a mask": "p = Greater(x, one)  m = Cast<to = 1>(p)  y = Mul(x, m)",
    "truths": "p = Cast<to = 9>(x)  q = Not(p)  y = Where(q, one, x)",
    "an index": "i = ArgMax<axis = 0, keepdims = 0>(x)  y = Gather<axis = 1>(x, i)",
    "an index of the largest": "v, i = TopK(x, few)  y = GatherElements<axis = 1>(x, i)",
    "noise": "n = RandomNormalLike(x)  y = Add(x, n)",
    "a tensor of ones": "s = Shape(x)  z = ConstantOfShape(s)  y = Add(x, z)",
    "what is not on the way": "r = Round(x)  y = MatMul(x, w)",
    "dropout at inference": "y = Dropout(x)",
}


@pytest.mark.parametrize("what", SERVED)
def test_what_only_steers_is_not_refused(what: str) -> None:
    made = gradients(SERVED[what], one=np.float32(0.1), few=np.array([4]))
    x = np.array([[0.3, -0.7, 1.2, 0.05], [2.0, 0.2, -1.1, 0.6], [1, 2, 3, 4], [4, 2, 3, 1]])
    forward = made.run({"x": x.astype(np.float32)})
    found = forward.backward(np.ones_like(forward.outputs[0])).arrays["x"]
    assert found.any() and np.isfinite(found).all()


def test_an_obstacle_before_the_tensor_does_not_matter() -> None:
    made = gradients("a = Round(x)  b = Add(a, a)  y = MatMul(b, w)", wrt="b")
    forward = made.run({"x": np.ones((2, 4), np.float32)})
    assert forward.backward(np.ones((2, 4), np.float32)).arrays["b"].any()
    with pytest.raises(NoGradientError, match="Round"):
        gradients("a = Round(x)  b = Add(a, a)  y = MatMul(b, w)", wrt="x")


def test_a_tensor_that_no_gradient_leads_to_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="'y' does not depend on 'x'"):
        gradients("p = Greater(x, one)  y = Where(p, ones, one)", one=np.float32(1), ones=ONES)
    with pytest.raises(UsageError, match="'y' does not depend on 'side'"):
        gradients("side = Exp(x)  y = MatMul(x, w)", wrt="side")


@pytest.mark.parametrize("name", ["nowhere", "w"])
def test_unknown_tensors_and_constants_are_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match=f"no tensor '{name}'"):
        gradients("y = MatMul(x, w)", wrt=name)
    with pytest.raises(UsageError, match=f"no tensor '{name}'"):
        Gradients(model_in("y = MatMul(x, w)"), HERE, [name], wrt=["x"])


def test_whole_numbers_have_no_gradients() -> None:
    proto = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> net (uint8[N,4] i) => (float[N,4] y)'
        "{ y = Cast<to = 1>(i) }"
    )
    with pytest.raises(UsageError, match="'i' holds uint8"):
        Gradients(loaded(proto), HERE, ["y"], wrt=["i"])


def test_why_there_is_no_gradient_is_told_without_a_run() -> None:
    model = model_in("a = Round(x)  b = Add(a, a)  y = MatMul(b, w)")
    assert "passes Round 'a'" in why_not(model, ["y"], wrt=["x"])
    assert why_not(model, ["y"], wrt=["b"], weights=["w"]) == ""
    assert "no weight 'v'" in why_not(model, ["y"], weights=["v"])


def test_an_output_that_no_rule_tells_of_is_refused() -> None:
    with pytest.raises(NoGradientError, match=r"MaxPool 'p' .it has no rule for its output 'i'"):
        gradients(
            "u = Unsqueeze(x, axis)  p, i = MaxPool<kernel_shape = [1]>(u)  f = Cast<to = 1>(i)  "
            "s = Add(p, f)  y = Squeeze(s, axis)", axis=np.array([1]),
        )  # fmt: skip


def test_an_input_that_no_rule_tells_of_is_refused() -> None:
    text = (
        "u = Unsqueeze(x, axis)  s = ReduceMean<keepdims = 0>(x, first)  "
        "v = Transpose<perm = [0, 2, 1]>(u)  g = GroupNormalization<num_groups = 4>(v, s, s)  "
        "t = Transpose<perm = [0, 2, 1]>(g)  y = Squeeze(t, axis)"
    )
    with pytest.raises(NoGradientError, match=r"GroupNormalization 'g' .it has no rule for its in"):
        gradients(text, opset=21, axis=np.array([1]), first=np.array([0]))
