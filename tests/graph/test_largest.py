"""The largest tensor of a sample, from the sizes that the graph tells."""

from __future__ import annotations

from sample_networks import Sample

from onnxmem import graph


def test_largest_tensor_is_that_of_one_sample(cnn: Sample, mlp: Sample) -> None:
    assert graph.largest_tensor(graph.load(cnn.path)) == 6 * 6 * 6
    assert graph.largest_tensor(graph.load(mlp.path)) == 12
