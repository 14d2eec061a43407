"""Sizes that follow from what small tensors hold are found, and no long tensor costs memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from onnxmem import graph

LONG = 200_000_000
MEMORY = 1 << 30

BOUNDED = """
import resource, sys
import onnxmem.graph
resource.setrlimit(resource.RLIMIT_DATA, ({memory}, {memory}))
model = onnxmem.graph.load(sys.argv[1])
print(model.shapes["y"])
"""


def shapes_within_bounds(path):
    """Return what inference tells of `y` in a process that may not take a lot of memory."""
    pytest.importorskip("resource")
    code = BOUNDED.format(memory=MEMORY)
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        (f"(int64[{LONG}] x) => (y) {{ s = Shape(x) c = Cast<to = 1>(x) y = Relu(c) }}", {}),
        (f"(float[{LONG}] x) => (y) {{ s = Shape(x) c = Add(x, x) y = Relu(c) }}", {}),
        (
            "(float[4] x) => (y, z) { q = Range(s, e, d) c = Cast<to = 1>(q) y = Relu(c)"
            " n = Shape(x) z = Gather(n, s) }",
            {"s": 0, "e": LONG, "d": 1},
        ),
    ],
)
def test_a_long_tensor_is_not_followed_element_by_element(network, text, weights):
    assert shapes_within_bounds(network(text, **weights)) == f"({LONG},)"


def test_a_long_tensor_that_sizes_make_is_not_followed(network):
    path = network(
        f"(float[{LONG // 10}, 10] x) => (y) {{"
        " n = Shape(x) a = Gather(n, zero) b = Gather(n, one) e = Mul(a, b)"
        " q = ConstantOfShape(e) t = Cast<to = 1>(q) u = Unsqueeze(t, zero) y = Relu(u) }",
        zero=[0],
        one=[1],
    )
    assert shapes_within_bounds(path) in (f"(1, {LONG})", "(1, 'unk__0')")


def test_sizes_that_small_tensors_hold_are_followed(network):
    path = network(
        "(float[2, 3, 4] x) => (float[a, b] y) {"
        " n = Shape(x) f = Gather(n, zero) s = Concat<axis = 0>(f, rest)"
        " r = Reshape(x, s) y = Relu(r) }",
        zero=[0],
        rest=[-1],
    )
    assert graph.load(path).shapes["y"] == (2, 12)


def test_sizes_behind_a_node_that_stood_aside_are_found_in_the_next_round(network):
    path = network(
        "(float[2, 12] x, int64[N] i) => (y) {"
        " n = Shape(x) f = Gather(n, zero) s = Concat<axis = 0>(f, rest) r = Reshape(x, s)"
        " a = Add(r, r) g = Concat<axis = 1>(a, a) m = Shape(g) h = Gather(m, zero)"
        " t = Concat<axis = 0>(h, flat) y = Reshape(g, t) }",
        zero=[0],
        rest=[3, 4],
        flat=[-1],
    )
    assert graph.load(path).shapes["y"] == (2, 24)
