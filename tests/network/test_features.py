"""Features of many samples: the activations, whatever the pieces, the budget and the layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_networks import Sample
from text_networks import write

from onnxmem import graph
from onnxmem.arrays import Array
from onnxmem.errors import DataError, OutOfMemoryError
from onnxmem.network import features, shelf
from onnxmem.network.features import INPUT, Features, Place, collect
from onnxmem.network.network import prepare
from onnxmem.network.settings import RunSettings
from onnxmem.runtime import Session, select_device

LAYERS = (Place(INPUT), Place("relu1", 1), Place("relu2", 1))


def features_of(
    path: Path,
    x: np.ndarray,
    places: Sequence[Place] = LAYERS,
    rows: np.ndarray | None = None,
    memory: int | None = None,
    pool: features.Pool = "all",
    batch: int | None = None,
) -> Features:
    device = select_device("cpu")
    with prepare(graph.load(path), {"x": x}, {}, device, RunSettings(memory=memory)) as found:
        network = found if batch is None else replace(found, batch=batch)
        rows = np.arange(len(x)) if rows is None else rows
        with collect(network, {"x": x}, {}, rows, places, pool=pool) as kept:
            layers = {name: np.array(array) for name, array in kept.layers.items()}
            return replace(kept, layers=layers)


def activations(path: Path, x: np.ndarray, name: str) -> np.ndarray:
    session = Session(graph.expose(graph.load(path), [name]), select_device("cpu"))
    found: Array = session.run({"x": x}, [name])[0]
    return np.asarray(found)


def test_they_are_the_activations_in_the_order_that_was_asked_for(mlp: Sample) -> None:
    rows = np.array([5, 2, 90, 17])
    found = features_of(mlp.path, mlp.x, rows=rows)
    assert list(found.layers) == ["input", "relu1", "relu2"]
    np.testing.assert_array_equal(found.layers["input"], mlp.x[rows])
    expected = activations(mlp.path, mlp.x, "relu2")[rows]
    np.testing.assert_allclose(found.layers["relu2"], expected, atol=1e-5)
    logits = activations(mlp.path, mlp.x, "logits")[rows]
    assert found.predictions.tolist() == logits.argmax(axis=1).tolist()
    assert found.width == 4


@pytest.mark.parametrize("batch", [1, 7, 32, 96])
def test_the_size_of_pieces_changes_nothing(mlp: Sample, batch: int) -> None:
    whole, pieces = features_of(mlp.path, mlp.x), features_of(mlp.path, mlp.x, batch=batch)
    for name, expected in whole.layers.items():
        np.testing.assert_allclose(pieces.layers[name], expected, atol=1e-5)
    np.testing.assert_array_equal(pieces.predictions, whole.predictions)


def test_what_memory_does_not_hold_lies_in_files(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = (Place(INPUT), Place("stem", 1), Place("joined", 1))
    plenty = features_of(cnn.path, cnn.x, places)
    monkeypatch.setattr(features, "_FEATURES_SHARE", 0.0)
    little = features_of(cnn.path, cnn.x, places)
    for name, expected in plenty.layers.items():
        np.testing.assert_array_equal(little.layers[name], expected)


def test_a_disk_that_is_full_is_said(cnn: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_FEATURES_SHARE", 0.0)
    usage = shelf.shutil.disk_usage("/")
    full = usage._replace(free=10)
    monkeypatch.setattr(shelf.shutil, "disk_usage", lambda folder: full)
    with pytest.raises(OutOfMemoryError, match="larger --memory"):
        features_of(cnn.path, cnn.x, (Place("stem", 1),))


def test_positions_can_be_taken_together(cnn: Sample) -> None:
    found = features_of(cnn.path, cnn.x, (Place("stem", 1),), pool="mean")
    expected = activations(cnn.path, cnn.x, "stem").mean(axis=(2, 3))
    np.testing.assert_allclose(found.layers["stem"], expected, atol=1e-5)


def test_long_features_are_projected(tmp_path: Path) -> None:
    text = "(float[N,700] x) => (float[N,4] y) { r = Relu(x)  y = MatMul(r, w) }"
    x = np.random.default_rng(0).normal(size=(30, 700)).astype(np.float32)
    found = features_of(write(tmp_path / "net.onnx", text, w=(700, 4)), x, (Place("r", 1),))
    assert found.layers["r"].shape == (30, 256)


def test_a_layer_that_is_not_finite_is_refused_and_names_its_samples(tmp_path: Path) -> None:
    text = """(float[N,8] x) => (float[N,4] y) {
        r = Relu(x)  l = Mul(r, r)  s = Relu(l)  y = MatMul(r, w)
    }"""
    x = np.ones((30, 8), np.float32)
    x[[3, 20], 0] = 1e30
    path = write(tmp_path / "net.onnx", text, w=(8, 4))
    found = features_of(path, x, (Place("r", 1), Place("s", 1)))
    assert list(found.layers) == ["r"]
    assert found.refused["s"] == "NaN or infinite activations for 2 samples: row 3, row 20"


def test_samples_along_another_axis_are_found(tmp_path: Path) -> None:
    text = """(float[N,8] x) => (float[N,4] y) {
        t = Transpose(x)  r = Relu(t)  b = Transpose(r)  y = MatMul(b, w)
    }"""
    x = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    found = features_of(write(tmp_path / "net.onnx", text, w=(8, 4)), x, (Place("r", 0),))
    np.testing.assert_array_equal(found.layers["r"], np.maximum(x, 0))


def test_a_tensor_without_samples_is_refused(tmp_path: Path) -> None:
    text = """(float[N,2,4] x) => (float[N,4] y) {
        t = Transpose<perm = [1, 0, 2]>(x)  s = Constant<value = int64[2] {-1, 4}>()
        m = Reshape(t, s)  r = Relu(m)
        b = Constant<value = int64[3] {2, -1, 4}>()  p = Reshape(r, b)
        y = ReduceMean<axes = [0], keepdims = 0>(p)
    }"""
    x = np.random.default_rng(0).normal(size=(30, 2, 4)).astype(np.float32)
    found = features_of(write(tmp_path / "net.onnx", text), x, (Place("r", 1),))
    assert "which axis counts its samples cannot be told from (4, 4)" in found.refused["r"]


def test_fewer_samples_than_the_network_takes_at_once_are_refused(mlp: Sample) -> None:
    with pytest.raises(DataError, match="takes 97 at once, the data hold 96"):
        features_of(mlp.path, mlp.x, batch=97)


def test_progress_reaches_the_number_of_samples(mlp: Sample) -> None:
    seen: list[int] = []
    device = select_device("cpu")
    with (
        prepare(graph.load(mlp.path), {"x": mlp.x}, {}, device, RunSettings()) as network,
        collect(network, {"x": mlp.x}, {}, np.arange(96), LAYERS, advance=seen.append),
    ):
        assert max(seen) == 96
