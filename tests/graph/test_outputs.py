"""What an output holds decides which metric makes sense."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph
from onnxmem.errors import UsageError


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ("y = Softmax(h)", "softmax"),
        ("s = Softmax(h) y = Identity(s)", "softmax"),
        ("y = LogSoftmax(h)", "log_softmax"),
        ("y = Sigmoid(h)", "sigmoid"),
        ("y = Identity(h)", "linear"),
        ("y = Add(h, b)", "linear"),
        ("y = Tanh(h)", "other"),
    ],
)
def test_the_operator_that_ends_in_it_tells(network, body, form):
    path = network(f"(float[N,4] x) => (float[] y) {{ h = MatMul(x, w) {body} }}", w=(4, 4), b=(4,))
    assert graph.output_form(graph.load(path), "y") == form


def test_integers_are_labels(network):
    path = network("(float[N,4] x) => (int64[N] y, float[N,4] z) "
                   "{ y = ArgMax<axis=1, keepdims=0>(x) z = Softmax(x) }")  # fmt: skip
    model = graph.load(path)
    assert graph.output_form(model, "y") == "labels"
    assert graph.output_form(model, "z") == "softmax"


def test_an_unknown_output_is_named(network):
    model = graph.load(network("(float[N] x) => (float[N] y) { y = Relu(x) }", b=np.ones(1)))
    with pytest.raises(UsageError, match="no output 'z'; it has: y"):
        graph.output_form(model, "z")
