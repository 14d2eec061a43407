"""The untouched model: samples run in pieces only where that makes no difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import sample_networks
from onnx import helper
from sample_networks import Sample

import onnxmem
from onnxmem import graph
from onnxmem.auditing import Settings
from onnxmem.auditing.network import prepare
from onnxmem.auditing.whole_model import WholeModel
from onnxmem.runtime import select_device


def mixing(folder: Path) -> Path:
    """Write a network that subtracts a little of the mean over the batch from its input."""
    x, y = sample_networks.blobs(10)
    nodes, weights = sample_networks.mlp_parts(10)
    nodes = [
        helper.make_node("ReduceMean", ["given"], ["mean"], axes=[0]),
        helper.make_node("Mul", ["mean", "little"], ["part"]),
        helper.make_node("Sub", ["given", "part"], ["x"]),
        *nodes,
    ]
    weights["little"] = np.array(0.02, np.float32)
    model = sample_networks.with_readout(nodes, weights, ["n", 10], {"given": x}, y)
    onnx.save(model, folder / "mixing.onnx")
    return folder / "mixing.onnx"


def separable(path: Path, name: str, x: np.ndarray) -> bool:
    model, device = graph.load(path), select_device("cpu")
    with prepare(model, {name: x}, {}, device, Settings()) as network:
        return WholeModel(network, {}).is_separable({name: x}, len(x))


def test_samples_that_know_nothing_of_each_other_are_separable(tmp_path: Path, mlp: Sample) -> None:
    assert separable(mlp.path, "x", mlp.x)
    assert not separable(mixing(tmp_path), "given", mlp.x)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_pieces_give_what_the_whole_batch_gives(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = request.getfixturevalue(name)
    options = {"compress": ["nmf"], "ranks": [1, 2, 4]}
    whole = onnxmem.audit(sample.path, sample.x, sample.y, **options)
    monkeypatch.setattr("onnxmem.auditing.memory._PIECE_BYTES", 4000)
    pieces = onnxmem.audit(sample.path, sample.x, sample.y, **options)
    for one, other in zip(whole.layers, pieces.layers, strict=True):
        for expected, found in zip(one.curves, other.curves, strict=True):
            assert found.accuracy == expected.accuracy
