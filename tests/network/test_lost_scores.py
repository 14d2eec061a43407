"""Scores that are NaN or infinite name their samples, whatever was asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import onnxmem
from onnxmem.errors import InconclusiveError
from onnxmem.inspecting import Trial

TEXT = """<ir_version: 8, opset_import: ["": 17]> network (float[n,6] x) => (float[n,4] y) {
    a = MatMul(x, w)
    r = Relu(a)
    z = MatMul(r, v)
    y = Exp(z) }"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    proto, rng = onnx.parser.parse_model(TEXT), np.random.default_rng(0)
    for name, shape in (("w", (6, 8)), ("v", (8, 4))):
        array = np.abs(rng.normal(size=shape)).astype(np.float32)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    onnx.save(proto, tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


@pytest.fixture
def data() -> dict[str, np.ndarray]:
    """Forty named samples, of which two are out of range."""
    x = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32) / 10
    x[[7, 39]] = 1e3
    return {"x": x, "y": np.arange(40) % 4, "id": np.array([f"s{i}" for i in range(40)])}


NAMED = "output 'y' for 2 of 40 samples: s7, s39"


def test_an_audit_names_them(model: Path, data: dict[str, np.ndarray]) -> None:
    assert NAMED in onnxmem.audit(model, data, device="cpu").reason
    without = {"x": data["x"]}
    assert "2 of 40 samples: row 7, row 39" in onnxmem.audit(model, without, device="cpu").reason


def test_samples_names_them(model: Path, data: dict[str, np.ndarray]) -> None:
    assert NAMED in onnxmem.samples(model, data, device="cpu").reason


def test_a_comparison_names_them(model: Path, data: dict[str, np.ndarray]) -> None:
    found = onnxmem.compare([model, model], data, device="cpu")
    assert all(NAMED in report.reason for report in found.reports)


def test_all_samples_are_said_to_be_all(model: Path, data: dict[str, np.ndarray]) -> None:
    reason = onnxmem.audit(model, data | {"x": data["x"] * 0 + np.float32(1e3)}).reason
    assert "for all 40 samples: s0, s1" in reason


def test_held_out_samples_are_named_as_well(model: Path, data: dict[str, np.ndarray]) -> None:
    sound = data | {"x": np.minimum(data["x"], 1)}
    held_out = {"x": data["x"][36:]}
    try:
        told = str(onnxmem.samples(model, sound, held_out=held_out, device="cpu").to_json())
    except InconclusiveError as error:
        told = str(error)
    assert "output 'y' for 1 of 4 samples: row 3" in told


def test_an_inspection_names_those_that_it_tried(model: Path, data: dict[str, np.ndarray]) -> None:
    found = onnxmem.inspect(model, trial=Trial(data, device="cpu"))
    assert any("'y' holds NaN or infinite values for 1 of the 8 samples tried: s7" in note
               for note in found.notes)  # fmt: skip
