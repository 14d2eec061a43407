"""Sites correspond by their order; other numbers and shapes are refused with their names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import sample_networks
from onnx import helper
from sample_networks import Sample

from onnxmem.errors import UsageError
from onnxmem.locating.matching import match_sites
from onnxmem.network.opening import open_network
from onnxmem.network.settings import RunSettings

EXPORTS = Path(__file__).parents[1] / "exports"


def matched(
    own: Path, other: Path, x: np.ndarray, layers: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    arrays = {"x": x, "y": np.zeros(len(x), np.int64)}
    with (
        open_network(own, arrays, RunSettings(device="cpu", layers=layers)) as one,
        open_network(other, arrays, RunSettings(device="cpu")) as two,
    ):
        return [(pair.own, pair.other) for pair in match_sites(one, two, ("auto",), np.arange(2))]


def test_chosen_layers_have_the_partners_of_their_place(mlp: Sample) -> None:
    assert matched(mlp.path, mlp.path, mlp.x, ("relu2",)) == [("relu2", "relu2")]


def test_channels_last_meets_channels_first() -> None:
    x = np.random.default_rng(0).random((4, 1, 28, 28)).astype(np.float32)
    pairs = matched(EXPORTS / "small-cnn.jax-relu.onnx", EXPORTS / "small-cnn.torch-dynamo.onnx", x)
    assert [own for own, _ in pairs] == [f"relu_out_{number}" for number in range(5)]


def test_other_numbers_of_sites_are_refused_with_their_names(mlp: Sample, tmp_path: Path) -> None:
    model = onnx.load(mlp.path)
    model.graph.node[1].CopyFrom(helper.make_node("Identity", ["sum1"], ["relu1"]))
    onnx.save(model, tmp_path / "one.onnx")
    with pytest.raises(UsageError, match=r"1 activations to match.*has 2.*relu2.*relu1, relu2"):
        matched(mlp.path, tmp_path / "one.onnx", mlp.x)


def test_other_shapes_are_refused_with_their_names(mlp: Sample, tmp_path: Path) -> None:
    nodes, weights = sample_networks.mlp_parts(10)
    weights["w1"], weights["b1"] = np.vstack([weights["w1"]] * 2), np.tile(weights["b1"], 2)
    weights["w2"] = np.hstack([weights["w2"]] * 2)
    wide = sample_networks.with_readout(nodes, weights, ["n", 10], {"x": mlp.x}, mlp.y)
    onnx.save(wide, tmp_path / "wide.onnx")
    with pytest.raises(UsageError, match=r"differ in their shapes.*'relu1' \(2, 12\).*\(2, 24\)"):
        matched(mlp.path, tmp_path / "wide.onnx", mlp.x)
