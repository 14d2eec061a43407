"""`onnxmem split`: two models and a description that a stranger can join."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import text_networks
from sample_networks import Sample

Command = Callable[..., Any]

FILES = ("parts", "parts/cut.json", "parts/head.onnx", "parts/tail.onnx")


def join(parts: Path, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Join the parts with nothing but `cut.json`."""
    cut = json.loads((parts / "cut.json").read_text("utf-8"))
    assert cut["schema"] == "onnxmem.cut/1"
    captured = text_networks.run(parts / cut["head"]["file"], feeds)
    assert list(captured) == cut["head"]["outputs"] == [cut["tensor"], *cut["crossing"]]
    assert cut["tail"]["inputs"] == [cut["tensor"], *cut["crossing"], *cut["direct"]]
    results = text_networks.run(parts / cut["tail"]["file"], feeds | captured)
    assert list(results) == cut["tail"]["outputs"]
    return dict(zip(cut["outputs"], results.values(), strict=True))


def check_parts(model: Path, parts: Path, feeds: dict[str, np.ndarray]) -> None:
    """Check that the parts are valid, and that joined they are the model, bit for bit."""
    for name in ("head.onnx", "tail.onnx"):
        onnx.checker.check_model(parts / name, full_check=True)
    whole = text_networks.run(model, feeds)
    for name, array in join(parts, feeds).items():
        np.testing.assert_array_equal(array, whole[name])


@pytest.fixture
def x() -> np.ndarray:
    """Give three samples of eight features."""
    return np.random.default_rng(5).normal(size=(3, 8)).astype(np.float32)


@pytest.mark.parametrize("tensor", ["stem", "inner", "joined"])
def test_parts_of_a_residual_network_join(
    command: Command, cnn: Sample, folder: Path, tensor: str
) -> None:
    outcome = command("split", cnn.path, "--at", tensor, "-o", "parts")
    assert outcome.code == 0, outcome.err
    assert outcome.new_files == FILES
    assert not outcome.out
    check_parts(cnn.path, folder / "parts", {"x": cnn.x[:5]})


def test_crossing_tensors_are_named(command: Command, folder: Path, x: np.ndarray) -> None:
    model = text_networks.write_residual(folder / "net.onnx")
    assert command("split", model, "--at", "r2", "-o", "parts").code == 0
    cut = json.loads((folder / "parts" / "cut.json").read_text())
    assert (cut["crossing"], cut["direct"], cut["outputs"]) == (["r1"], [], ["y"])
    check_parts(model, folder / "parts", {"x": x})


def test_an_input_that_the_tail_reads_itself_is_direct(
    command: Command, folder: Path, x: np.ndarray
) -> None:
    text = "(float[N,8] x) => (float[N,8] y) { a = MatMul(x, w)  r = Relu(a)  y = Add(r, x) }"
    model = text_networks.write(folder / "net.onnx", text, w=(8, 8))
    assert command("split", model, "--at", "r", "-o", "parts").code == 0
    cut = json.loads((folder / "parts" / "cut.json").read_text())
    assert (cut["crossing"], cut["direct"]) == ([], ["x"])
    check_parts(model, folder / "parts", {"x": x})


def test_a_tensor_that_is_an_output_of_the_model_as_well(
    command: Command, folder: Path, x: np.ndarray
) -> None:
    text = "(float[N,8] x) => (float[N,8] r, float[N,8] y) { r = Relu(x)  y = MatMul(r, w) }"
    model = text_networks.write(folder / "net.onnx", text, w=(8, 8))
    assert command("split", model, "--at", "r", "-o", "parts").code == 0
    assert set(join(folder / "parts", {"x": x})) == {"r", "y"}
    check_parts(model, folder / "parts", {"x": x})


def test_output_name_leaves_other_outputs_out(
    command: Command, folder: Path, x: np.ndarray
) -> None:
    text = "(float[N,8] x) => (float[N,8] r, float[N,8] y) { r = Relu(x)  y = MatMul(r, w) }"
    model = text_networks.write(folder / "net.onnx", text, w=(8, 8))
    assert command("split", model, "--at", "r", "-o", "parts", "--output-name", "y").code == 0
    assert list(join(folder / "parts", {"x": x})) == ["y"]


def test_types_that_the_file_does_not_tell_are_found_by_running_it(
    command: Command, folder: Path, x: np.ndarray
) -> None:
    model = text_networks.write_untyped(folder / "net.onnx")
    assert command("split", model, "--at", "r", "-o", "parts").code == 0
    tail = onnx.load(folder / "parts" / "tail.onnx")
    types = {info.name: info.type.tensor_type for info in tail.graph.input}
    assert types["h"].elem_type == onnx.TensorProto.FLOAT
    assert len(types["h"].shape.dim) == 2
    check_parts(model, folder / "parts", {"x": x})


def test_weights_outside_of_the_model_stay_outside_of_the_parts(
    command: Command, folder: Path, cnn: Sample
) -> None:
    model = text_networks.store_outside(cnn.path, folder / "net.onnx")
    assert command("split", model, "--at", "inner", "-o", "parts").code == 0
    names = {path.name for path in (folder / "parts").iterdir()}
    assert {"head.onnx", "head.onnx.data", "tail.onnx", "tail.onnx.data", "cut.json"} == names
    (folder / "net.data").unlink()
    check_parts(cnn.path, folder / "parts", {"x": cnn.x[:5]})


def test_a_branch_is_cut_where_its_condition_is_bound(
    command: Command, folder: Path, x: np.ndarray
) -> None:
    model = text_networks.write(folder / "net.onnx", text_networks.IN_A_BODY, w1=(8, 8))
    outcome = command("split", model, "--at", "p", "-o", "parts", "--bind", "flag=1")
    assert outcome.code == 0, outcome.err
    whole = text_networks.run(model, {"x": x, "flag": np.array(True)})
    np.testing.assert_array_equal(join(folder / "parts", {"x": x})["y"], whole["y"])


def test_an_empty_folder_is_filled(command: Command, folder: Path, mlp: Sample) -> None:
    (folder / "parts").mkdir()
    assert command("split", mlp.path, "--at", "relu1", "-o", "parts").new_files == FILES[1:]


def test_a_folder_with_something_in_it_is_left_alone(
    command: Command, folder: Path, mlp: Sample
) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "mine.txt").write_text("mine")
    outcome = command("split", mlp.path, "--at", "relu1", "-o", "parts")
    assert outcome.code == 2
    assert "not empty" in outcome.error


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--at", "nowhere", "-o", "parts"), "nowhere"),
        (("--at", "x", "-o", "parts"), "'x'"),
        (("--at", "relu1", "-o", "missing/parts"), "missing/parts"),
        (("--at", "relu1", "-o", "file.txt"), "file.txt"),
        (("--at", "relu1", "-o", "parts", "--output-name", "no"), "'no'"),
        (("--at", "relu1", "-o", "parts", "--bind", "flag"), "NAME=VALUE"),
        (("--at", "relu1", "-o", "parts", "--data", "no.npz"), "no.npz"),
        (("-o", "parts"), "--at"),
        (("--at", "relu1"), "-o"),
    ],
)
def test_what_cannot_be_is_refused(
    command: Command, folder: Path, mlp: Sample, options: tuple[str, ...], word: str
) -> None:
    (folder / "file.txt").write_text("mine")
    outcome = command("split", mlp.path, *options)
    assert outcome.code == 2
    assert word in outcome.error


def test_a_write_that_fails_leaves_nothing(
    command: Command, folder: Path, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    outcome = command("split", mlp.path, "--at", "relu1", "-o", "parts")
    assert outcome.code == 2
    assert "No space left" in outcome.error


def test_types_are_learnt_from_half_precision_that_full_optimization_crashes_on(
    command: Command, folder: Path
) -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]>
        g (float16[2, 3, 4] x) => (float[3, 2, 5] y) {
          t = Transpose<perm = [1, 0, 2]>(x)  h = MatMul(t, w)  r = Relu(h)
          c = Cast<to = 1>(r)  k = com.microsoft.QuickGelu(c)  y = Relu(k)
        }"""
    )
    weight = onnx.numpy_helper.from_array(np.ones((4, 5), np.float16), "w")
    model.graph.initializer.append(weight)
    onnx.save(model, folder / "half.onnx")
    outcome = command("split", "half.onnx", "--at", "k", "-o", "parts")
    assert outcome.code == 0, outcome.err
    assert "0 tensors cross beside k" in outcome.err
    (tensor,) = onnx.load(folder / "parts" / "tail.onnx").graph.input
    assert tensor.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
