"""What a network's output says, which output that is, and how far two outputs are apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, parser
from sample_networks import Sample

import onnxmem
from onnxmem import graph
from onnxmem.auditing.network import (
    Network,
    choose_output,
    deviation,
    feed,
    predictions,
    prepare,
)
from onnxmem.auditing.settings import Settings
from onnxmem.auditing.workers import R, T, Workers
from onnxmem.errors import UsageError
from onnxmem.runtime import CUDA, Device, select_device


def predict(form: str, output: list[Any]) -> list[int]:
    network = Network(None, "o", form, None, select_device("cpu"), False)  # type: ignore[arg-type]
    predicted: list[int] = network.predict(np.array(output)).tolist()
    return predicted


@pytest.mark.parametrize(
    ("form", "output", "classes"),
    [
        ("softmax", [[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]], [1, 0]),
        ("linear", [[-3.0, -1.0], [2.0, 1.0]], [1, 0]),
        ("linear", [[[[1.0]], [[2.0]]], [[[4.0]], [[3.0]]]], [1, 0]),
        ("labels", [3, 1, 2], [3, 1, 2]),
        ("labels", [[3], [1]], [3, 1]),
        ("sigmoid", [[0.4], [0.6]], [0, 1]),
        ("sigmoid", [0.4, 0.6], [0, 1]),
        ("linear", [[-0.1], [0.1]], [0, 1]),
        ("linear", [[np.nan, 1.0], [-np.inf, 1.0]], [-1, 1]),
        ("sigmoid", [[np.nan], [0.6]], [-1, 1]),
    ],
)
def test_predicted_classes(form: str, output: list[Any], classes: list[int]) -> None:
    assert predict(form, output) == classes


@pytest.mark.parametrize("words", [np.array(["a"]), np.array(["a"], object)])
def test_text_stays_on_the_cpu(words: np.ndarray) -> None:
    assert feed({"t": words}, select_device("cpu"))["t"] is words
    with pytest.raises(UsageError, match="text run on the CPU only; use --device cpu"):
        feed({"t": words}, Device(CUDA, 0, "made up"))


def test_outputs_beside_the_scores_do_not_keep_a_batch_fixed(tmp_path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["": 17]>
    net (float[1,6] x) => (float[1,6] scores, float[1] total) {
        r = Relu(x)
        scores = Softmax(r)
        total = ReduceMax <axes = [0, 1], keepdims = 0> (r)
    }"""
    onnx.save(parser.parse_model(text), tmp_path / "fixed.onnx")
    model = graph.load(tmp_path / "fixed.onnx")
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    settings = Settings(output_name="scores")
    with prepare(model, {"x": x}, {}, select_device("cpu"), settings) as network:
        assert network.batch is None


def test_deviation_is_relative_to_the_scale(xp: ModuleType) -> None:
    expected = xp.asarray([[0.0, 10.0], [5.0, -20.0]], "float32")
    assert deviation(expected, expected) == 0
    assert deviation(expected + 0.2, expected) == pytest.approx(0.01, rel=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_deviates_without_bound(xp: ModuleType, bad: float) -> None:
    expected = xp.ones((2, 2), "float32")
    assert deviation(expected * bad, expected) == float("inf")
    assert deviation(expected[:1], expected) == float("inf")


def test_what_is_not_finite_may_stand_where_it_stood(xp: ModuleType) -> None:
    expected = xp.asarray([[np.nan, np.inf], [-np.inf, 2.0]], "float32")
    assert deviation(expected, expected) == 0
    assert deviation(-expected, expected) == float("inf")
    assert deviation(expected + xp.asarray([[0, 0], [0, 1.0]]), expected) == pytest.approx(0.5)


def test_output_of_zeros_deviates_by_what_is_added(xp: ModuleType) -> None:
    zeros = xp.zeros((2, 2), "float32")
    assert deviation(zeros, zeros) == 0
    assert deviation(zeros + 1, zeros) > 1


@pytest.fixture
def with_features(tmp_path: Path, mlp: Sample) -> Path:
    """Give the small network with its last activations as a second output."""
    model = onnx.load(mlp.path)
    extra = helper.make_tensor_value_info("relu2", TensorProto.FLOAT, ["n", 12])
    model.graph.output.append(extra)
    onnx.save(model, tmp_path / "two.onnx")
    return tmp_path / "two.onnx"


def test_unknown_output_names_those_there_are(with_features: Path) -> None:
    with pytest.raises(UsageError, match="it has logits, relu2"):
        choose_output(graph.load(with_features), "probabilities")


def test_chosen_output_is_audited(with_features: Path, mlp: Sample) -> None:
    report = onnxmem.audit(
        with_features, mlp.x, mlp.y, output_name="logits", compress=["nmf"], ranks=[1]
    )
    assert report.settings["output_name"] == "logits"
    assert report.baseline.value > 0.9


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

    network = Network(None, "o", "labels", 4, select_device("cpu"), False)  # type: ignore[arg-type]
    whole: Any = Session()
    found = predictions(network, whole, {"x": np.arange(6)}, {}, team)
    assert found.tolist() == [0, 0, 0, 0, 2, 2]
