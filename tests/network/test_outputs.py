"""Which output classifies, and when two outputs are the same."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sample_networks import Sample

import onnxmem
from onnxmem import graph
from onnxmem.errors import UsageError
from onnxmem.network.outputs import choose_output, deviation


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
