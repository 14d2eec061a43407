"""The feature axis is decided by operators, not by rank."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem import graph


def axis_of(path):
    (site,) = (site for site in graph.find_sites(graph.load(path)) if site.tensor == "r")
    return site.feature_axis, site.axis_from


IMAGE, ROWS = "float[N,2,9] x", "float[N,9,2] x"
KERNEL = {"k": (6, 2, 3)}
MATRIX = {"w": (2, 6)}
SWAP = "Transpose<perm=[0,2,1]>"


def network_text(inputs, body):
    """Return a network whose ReLU makes r; `body` says what comes before and after."""
    return f"({inputs}) => (float[] y) {{ {body.replace('swap', SWAP)} }}"


@pytest.mark.parametrize(
    ("inputs", "body", "weights", "axis"),
    [
        (IMAGE, "h = Conv(x, k) r = Relu(h) y = Tanh(r)", KERNEL, 1),
        (ROWS, "h = MatMul(x, w) r = Relu(h) y = Tanh(r)", MATRIX, -1),
        (ROWS, "h = MatMul(x, w) b = Add(h, v) r = Relu(b) y = Tanh(r)",
         MATRIX | {"v": (6,)}, -1),
        (IMAGE, "h = Conv(x, k) t = swap(h) r = Relu(t) y = Tanh(r)", KERNEL, -1),
        (ROWS, "h = MatMul(x, w) t = swap(h) r = Relu(t) y = Tanh(r)", MATRIX, 1),
        (IMAGE, ("h = Conv(x, k) p = MaxPool<kernel_shape=[2]>(h) c = Concat<axis=1>(p, p) "
         "r = Relu(c) y = Tanh(r)"), KERNEL, 1),
        (IMAGE, "h = MatMul(w, x) r = Relu(h) y = Tanh(r)", {"w": (6, 2)}, 1),
        (IMAGE, "h = Conv(x, k) g = ReduceMean<axes=[2], keepdims=0>(h) r = Relu(g) y = Tanh(r)",
         KERNEL, 1),
        (IMAGE, "h = Conv(x, k) u = Unsqueeze(h, one) r = Relu(u) y = Tanh(r)",
         KERNEL | {"one": np.array([1])}, 2),
        (IMAGE, "h = Conv(x, k) u = Reshape(h, to) r = Relu(u) y = Tanh(r)",
         KERNEL | {"to": np.array([0, 6, 7, 1])}, 1),
        ("float[N,4,2] x", "h = MatMul(x, w) u = Reshape(h, to) r = Relu(u) y = Tanh(r)",
         MATRIX | {"to": np.array([-1, 6])}, -1),
        (IMAGE, "h = Conv(x, k) f = Flatten(h) r = Relu(f) y = Tanh(r)", KERNEL, -1),
        ("float[N,5] x", "h = LayerNormalization(x, s) r = Relu(h) y = Tanh(r)", {"s": (5,)}, -1),
        ("float[T,N,5] x", ("h, l = RNN<hidden_size=4>(x, w, v) q = Squeeze(h, one) r = Relu(q) "
         "y = Tanh(r)"), {"w": (1, 4, 5), "v": (1, 4, 4), "one": np.array([1])}, -1),
        ("int64[N,7] x", "h = Gather(w, x) r = Relu(h) y = Tanh(r)", {"w": (10, 4)}, -1),
    ],
)  # fmt: skip
def test_the_operator_that_makes_features_decides(network, inputs, body, weights, axis):
    found, origin = axis_of(network(network_text(inputs, body), **weights))
    assert found == axis
    assert origin.startswith("made by ")


@pytest.mark.parametrize(
    ("inputs", "body", "weights", "axis"),
    [
        (IMAGE, "r = Relu(x) y = Conv(r, k)", KERNEL, 1),
        (ROWS, "r = Relu(x) t = swap(r) y = Conv(t, k)", KERNEL, -1),
        (IMAGE, "r = Relu(x) t = swap(r) y = MatMul(t, w)", MATRIX, 1),
        (IMAGE, "r = Relu(x) s = Sigmoid(r) y = MatMul(w, s)", {"w": (6, 2)}, 1),
        ("float[N,1,2,9] x", "r = Relu(x) s = Squeeze(r, one) y = Conv(s, k)",
         KERNEL | {"one": np.array([1])}, 2),
        (IMAGE, "h = Conv(x, k) u = Reshape(h, to) r = Relu(u) v = Conv(r, l) y = Tanh(v)",
         KERNEL | {"to": np.array([0, 2, 21]), "l": (4, 2, 1)}, 1),
    ],
)  # fmt: skip
def test_otherwise_the_operator_that_reads_them_decides(network, inputs, body, weights, axis):
    found, origin = axis_of(network(network_text(inputs, body), **weights))
    assert found == axis
    assert origin.startswith("read by ")


@pytest.mark.parametrize(
    ("inputs", "body", "weights", "axis"),
    [
        ("float[N,6,M] x", ("h = Conv(x, k) g = Reshape(h, groups) "
         "i = InstanceNormalization(g, s, s) t = Shape(h) u = Reshape(i, t) r = Relu(u) "
         "y = Tanh(r)"),
         {"k": (6, 6, 1), "groups": np.array([0, 2, -1]), "s": (2,)}, 1),
        ("float[N,M,2] x", ("f = Reshape(x, rows) h = MatMul(f, w) t = Shape(x) "
         "p = Gather(t, both) c = Concat<axis=0>(p, six) u = Reshape(h, c) r = Relu(u) "
         "y = Tanh(r)"),
         {**MATRIX, "rows": np.array([-1, 2]), "both": np.array([0, 1]), "six": np.array([6])}, -1),
        ("float[T,N,3] x", ("s, l = LSTM<hidden_size=4, direction=\"bidirectional\">(x, k, m) "
         "t = Transpose<perm=[0,2,1,3]>(s) u = Reshape(t, joined) r = Relu(u) y = Tanh(r)"),
         {"k": (2, 16, 3), "m": (2, 16, 4), "joined": np.array([0, 0, -1])}, -1),
    ],
)  # fmt: skip
def test_features_are_followed_past_sizes_that_are_not_known(network, inputs, body, weights, axis):
    found, origin = axis_of(network(network_text(inputs, body), **weights))
    assert found == axis
    assert origin.startswith("made by ")


@pytest.mark.parametrize(
    ("body", "weights"),
    [
        ("r = Relu(x) y = Tanh(r)", {}),
        ("h = Conv(x, k) u = Reshape(h, to) r = Relu(u) y = Tanh(r)",
         KERNEL | {"to": np.array([0, 2, 21])}),
    ],
)  # fmt: skip
def test_it_stays_undecided_where_nothing_tells(network, body, weights):
    axis, origin = axis_of(network(network_text(IMAGE, body), **weights))
    assert (axis, origin) == (None, "neither what makes it nor what reads it tells")


def test_both_walks_agree_without_any_shape(network):
    for body in (
        "h = Conv(x, k) t = swap(h) r = Relu(t) y = Tanh(r)",
        "r = Relu(x) t = swap(r) y = Conv(t, k)",
    ):
        path = network(network_text("float[] x", body), **KERNEL)
        assert graph.load(path).shapes.get("r") is None
        assert axis_of(path)[0] == -1


@pytest.mark.parametrize(
    ("axis", "axes", "rank", "expected"),
    [
        (1, [2, 3], 4, 1),
        (1, [0], 3, 0),
        (2, [1], 4, 1),
        (1, [1], 3, None),
        (-1, [1], 3, -1),
        (-1, [-1], 3, None),
        (1, [2, 3], None, 1),
        (1, [-1], None, None),
        (-1, [1], None, -1),
        (-2, [-1], None, -1),
    ],
)
def test_an_axis_moves_when_others_are_dropped(axis, axes, rank, expected):
    from onnxmem.graph.axes import _dropped

    found = _dropped(axis, axes, rank)
    if expected is not None and rank is not None and found is not None:
        left = rank - len(axes)
        found, expected = found % left, expected % left
    assert found == expected


@pytest.mark.parametrize(
    ("axis", "axes", "expected"),
    [
        (1, [1], 2),
        (1, [2], 1),
        (1, [0, 1], 3),
        (-1, [-1], -2),
        (-1, [1], -1),
        (1, [-1], None),
    ],
)
def test_an_axis_moves_when_others_are_inserted(axis, axes, expected):
    from onnxmem.graph.axes import _inserted

    assert _inserted(axis, axes) == expected
