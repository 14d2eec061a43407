"""Files that ask for too much, or make no sense, end with one line and a code."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onnxmem.data import load
from onnxmem.data.budget import UNBOUNDED
from onnxmem.data.images import _opened
from onnxmem.errors import DataError

Command = Callable[..., Any]

HEAD = '<ir_version: 8, opset_import: ["": 17]> network '


def write(path: Path, text: str, **weights: np.ndarray) -> Path:
    proto = onnx.parser.parse_model(HEAD + text)
    proto.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()
    )
    onnx.save(proto, path)
    return path


def classifier(path: Path, many: int) -> Path:
    """Write a classifier that makes a tensor of `many` floats on the way."""
    return write(
        path,
        "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w) r = Relu(a) u = ConstantOfShape(s)"
        " m = ReduceMax<keepdims = 0>(u) b = Mul(m, z) q = MatMul(r, v) y = Add(q, b) }",
        w=np.ones((6, 8), np.float32), v=np.ones((8, 3), np.float32), s=[many], z=np.float32(0),
    )  # fmt: skip


def test_a_tensor_above_the_memory_is_refused_before_anything_runs(
    command: Command, folder: Path
) -> None:
    model = classifier(folder / "m.onnx", 1 << 42)
    np.savez(folder / "d.npz", x=np.ones((6, 6), np.float32), y=np.arange(6) % 3)
    for arguments in (
        ("inspect", model, "--verify"),
        ("inspect", model),
        ("audit", model, "--data", "d.npz", "--memory", "1G"),
    ):
        outcome = command(*arguments)
        assert outcome.code == 4
        assert "makes the tensor 'u' of 16.0 TiB" in outcome.error


def test_ranks_where_the_width_lies_on_an_axis_that_is_not_there(
    command: Command, folder: Path
) -> None:
    model = write(
        folder / "m.onnx",
        "(float[n,4,8] x) => (float[n,3] y) { a = Conv(x, k)"
        " m = ReduceMean<keepdims = 0>(a) r = Relu(m) y = MatMul(r, w) }",
        k=np.ones((5, 4, 3), np.float32), w=np.ones((5, 3), np.float32),
    )  # fmt: skip
    np.savez(folder / "d.npz", x=np.ones((6, 4, 8), np.float32), y=np.arange(6) % 3)
    outcome = command("audit", model, "--data", "d.npz", "--ranks", "1,2")
    assert outcome.code == 4 and "internal" not in outcome.error


@pytest.mark.parametrize(
    "change",
    [{"rescale_factor": 0}, {"rescale_factor": 1e-320}, {"rescale_factor": float("inf")},
     {"rescale_factor": -1}],
)  # fmt: skip
def test_factors_that_are_none(tmp_path: Path, change: dict[str, float]) -> None:
    pillow = pytest.importorskip("PIL.Image")
    (tmp_path / "d" / "a").mkdir(parents=True)
    pillow.new("L", (2, 2)).save(tmp_path / "d" / "a" / "1.png")
    values = {"image_processor_type": "ViTImageProcessor", "size": {"height": 2, "width": 2},
              "image_mean": [0.5], "image_std": [0.5]}  # fmt: skip
    (tmp_path / "p.json").write_text(json.dumps(values | change))
    with pytest.raises(DataError, match=r"rescale_factor .* is no factor above 0"):
        load(tmp_path / "d", preprocess=str(tmp_path / "p.json"))


def test_what_libtiff_says_of_a_damaged_image_stays_unheard(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pillow = pytest.importorskip("PIL.Image")
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
    pillow.fromarray(noise).save(stream, "tiff", compression="tiff_lzw")
    content = bytearray(stream.getvalue())
    content[20:400] = bytes(380)
    (tmp_path / "1.tiff").write_bytes(content)
    with pytest.raises(DataError, match=r"1\.tiff"):
        _opened(tmp_path / "1.tiff", UNBOUNDED, upright=True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "line",
    [
        "quiet = {a = 1}",
        "exact = [true]",
        "quiet = 1979-05-27",
        "ranks = " + "[" * 3000 + "]" * 3000,
        "bind." + ".".join("a" * 500) + " = 1",
    ],
)
def test_depths_of_a_configuration(command: Command, folder: Path, line: str) -> None:
    (folder / "onnxmem.toml").write_text(line)
    outcome = command("audit", "m.onnx", "--data", "d.npz")
    assert outcome.code == 2 and "onnxmem.toml" in outcome.error
