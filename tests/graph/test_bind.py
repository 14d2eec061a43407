"""Inputs that are fixed for good: every element type, several values, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph
from onnxmem.errors import UsageError


def bound(network, kind, value):
    """Return what the input `s` of the given type holds once it is bound."""
    model = graph.load(network(f"(float[N] x, {kind} s) => (float[N] y) {{ y = Relu(x) }}"))
    assert [spec.name for spec in model.inputs] == ["x", "s"]
    model = graph.load(model.path, {"s": value})
    assert [spec.name for spec in model.inputs] == ["x"]
    return model.ir.graph.initializers["s"].const_value.numpy()


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("bool", "true", np.array(True)),
        ("bool", "0", np.array(False)),
        ("bool[2]", "no", np.array([False, False])),
        ("bool", 1, np.array(True)),
        ("int64", "16000", np.array(16000)),
        ("int64[2]", "1,2", np.array([1, 2])),
        ("int64[M]", "1, 2, 3", np.array([1, 2, 3])),
        ("int64[M]", "[4]", np.array([4])),
        ("int32[M,2]", "1,2,3,4", np.array([[1, 2], [3, 4]], np.int32)),
        ("int64[2]", [5, 6], np.array([5, 6])),
        ("uint8", "255", np.array(255, np.uint8)),
        ("float16", "0.5", np.array(0.5, np.float16)),
        ("float", "1e-3", np.array(1e-3, np.float32)),
        ("float[3]", "2", np.array([2, 2, 2], np.float32)),
        ("float", "inf", np.array(np.inf, np.float32)),
        ("double[M]", "1,2.5", np.array([1, 2.5])),
    ],
)
def test_a_value_is_read_as_the_type_of_the_input(network, kind, value, expected):
    held = bound(network, kind, value)
    np.testing.assert_array_equal(held, expected)
    assert held.dtype == expected.dtype


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [("string", "a,b", ["a,b"]), ("string[2]", "a,b", ["a", "b"]), ("string[1]", "hot", ["hot"])],
)
def test_texts_are_taken_apart_where_several_are_asked_for(network, kind, value, expected):
    held = bound(network, kind, value).ravel().tolist()
    assert [item.decode() if isinstance(item, bytes) else item for item in held] == expected


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("bool", "maybe", "cannot bind 's' to 'maybe': the input holds BOOL, so true or false"),
        ("int64", "1.5", "holds INT64, so whole numbers"),
        ("int64", 1.5, "holds INT64"),
        ("uint8", "256", "holds UINT8"),
        ("uint8", "-1", "holds UINT8"),
        ("int64", "9" * 30, "holds INT64"),
        ("float", "fast", "holds FLOAT, so numbers"),
        ("float16", "1e9", "holds FLOAT16"),
        ("int64[2]", "1,2,3", r"to 3 values: the input takes \(2\)"),
        ("int64", "1,2", r"to 2 values: the input takes \(\)"),
        ("int64[M,2]", "1,2,3", r"to 3 values: the input takes \(\?, 2\)"),
        ("int64[2]", ",", "cannot bind 's'"),
    ],
)
def test_what_an_input_does_not_hold_is_named(network, kind, value, words):
    with pytest.raises(UsageError, match=words) as caught:
        bound(network, kind, value)
    assert "\n" not in str(caught.value)


def test_an_input_must_be_left_for_the_samples(network):
    path = network("(float[N] x) => (float[N] y) { y = Relu(x) }")
    with pytest.raises(UsageError, match="cannot bind 'x': no input would be left"):
        graph.load(path, {"x": "1"})


def test_a_network_with_texts_can_be_cut_and_shared(network, tmp_path):
    text = "(float[N,4] x, string[1] s) => (float[N,4] y, string[1] t) { h = MatMul(x, w)"
    path = network(f"{text} y = Relu(h) t = Identity(s) }}", w=(4, 4))
    model = graph.load(path, {"s": "hot"})
    shared = graph.share_weights(model, tmp_path / "shared")
    assert graph.split(shared, "y").head.inputs == ("x",)
    assert graph.expose(shared, ["h"]).outputs == ("y", "t", "h")
