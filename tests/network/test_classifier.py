"""The untouched network: what it predicts, when it predicts nothing, and which pieces it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import onnx
import pytest
import sample_networks
from onnx import TensorProto, helper
from sample_networks import Sample

import onnxmem
from onnxmem import graph
from onnxmem.network.classifier import Classifier
from onnxmem.network.network import Network, prepare
from onnxmem.network.settings import RunSettings
from onnxmem.network.workers import R, T, Workers
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
    with prepare(model, {name: x}, {}, device, RunSettings()) as network:
        return Classifier(network, {}).is_separable({name: x}, len(x))


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
    monkeypatch.setattr("onnxmem.network.memory._PIECE_BYTES", 4000)
    pieces = onnxmem.audit(sample.path, sample.x, sample.y, **options)
    for one, other in zip(whole.layers, pieces.layers, strict=True):
        for expected, found in zip(one.curves, other.curves, strict=True):
            assert found.accuracy == expected.accuracy


def test_output_that_does_not_classify_is_inconclusive(tmp_path: Path, mlp: Sample) -> None:
    model = onnx.load(mlp.path)
    node = helper.make_node("ReduceSum", ["logits"], ["total"], keepdims=0)
    model.graph.node.append(node)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("total", TensorProto.FLOAT, []))
    onnx.save(model, tmp_path / "sum.onnx")
    report = onnxmem.audit(tmp_path / "sum.onnx", mlp.x, mlp.y)
    assert (report.verdict, report.measured) == ("inconclusive", False)
    assert "a classifier gives" in report.reason
    assert report.data.samples_given == len(mlp.x)


@pytest.mark.parametrize("labels", ["given", "none"])
@pytest.mark.parametrize("batch", [None, 1])
def test_a_sequence_does_not_classify(
    tmp_path: Path, mlp: Sample, labels: str, batch: int | None
) -> None:
    model = onnx.load(mlp.path)
    if batch is not None:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    model.graph.node.append(helper.make_node("SequenceConstruct", ["logits", "x"], ["parts"]))
    del model.graph.output[:]
    parts = helper.make_tensor_sequence_value_info("parts", TensorProto.FLOAT, None)
    model.graph.output.append(parts)
    onnx.save(model, tmp_path / "parts.onnx")
    report = onnxmem.audit(tmp_path / "parts.onnx", mlp.x, mlp.y if labels == "given" else None)
    assert (report.verdict, report.measured) == ("inconclusive", False)
    assert "'parts' is no tensor but a sequence" in report.reason


class Backwards(Workers):
    """Does the last piece first."""

    def map(self, function: Callable[[T], R], items: Iterable[T], at_once: int) -> list[R]:
        return [function(item) for item in list(items)[::-1]]


@pytest.mark.parametrize("team", [Workers(1), Backwards(1)])
def test_predictions_are_the_same_whichever_piece_ends_first(team: Workers) -> None:
    """Each sample gets the number of its piece; the last piece overlaps the one before it."""

    class Session:
        def run(self, feeds: dict[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
            return [np.full(4, feeds["x"][0])]

    classifier = object.__new__(Classifier)
    classifier.session, classifier.shared = Session(), {}
    classifier.network = Network(None, "o", "labels", 4, select_device("cpu"), False, workers=team)
    assert classifier.predict({"x": np.arange(6)}).tolist() == [0, 0, 0, 0, 2, 2]
