"""What a network predicts for all samples, and when it predicts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sample_networks import Sample

import onnxmem
from onnxmem.auditing.network import Network
from onnxmem.auditing.predictions import predictions
from onnxmem.auditing.workers import R, T, Workers
from onnxmem.runtime import select_device


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

    network = Network(None, "o", "labels", 4, select_device("cpu"), False)  # type: ignore[arg-type]
    whole: Any = Session()
    found = predictions(network, whole, {"x": np.arange(6)}, {}, team)
    assert found.tolist() == [0, 0, 0, 0, 2, 2]
