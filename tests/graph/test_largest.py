"""The largest tensor of a sample, from the sizes that the graph tells."""

from __future__ import annotations

from pathlib import Path

from sample_networks import Sample
from text_networks import write

from onnxmem import graph


def test_largest_tensor_is_that_of_one_sample(cnn: Sample, mlp: Sample) -> None:
    assert graph.largest_tensor(graph.load(cnn.path)) == 6 * 6 * 6
    assert graph.largest_tensor(graph.load(mlp.path)) == 12


def test_largest_tensor_of_a_tail_depends_on_the_cut(tmp_path: Path) -> None:
    text = "(float[N,8] x) => (float[N,4] y) { a = MatMul(x, w1)  r = Relu(a)  y = MatMul(r, w2) }"
    narrowing = graph.load(write(tmp_path / "net.onnx", text, w1=(8, 16), w2=(16, 4)))
    assert graph.largest_tensor(narrowing, "a") == 16
    assert graph.largest_tensor(narrowing, "y") == 4
