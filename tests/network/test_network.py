"""What becomes of an output and of inputs, and of a model that takes batches of one size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import parser

from onnxmem import graph
from onnxmem.errors import UsageError
from onnxmem.network.network import Network, feed, prepare
from onnxmem.network.settings import RunSettings
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
def test_the_predicted_class_follows_from_what_an_output_holds(
    form: str, output: list[Any], classes: list[int]
) -> None:
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
    settings = RunSettings(output_name="scores")
    with prepare(model, {"x": x}, {}, select_device("cpu"), settings) as network:
        assert network.batch is None
