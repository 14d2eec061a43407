"""The pre-commit hook inspects every model, and fails where one cannot be audited."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import onnx.parser
import pytest
from onnxmem.cli.hook import run
from pre_commit.clientlib import load_manifest
from sample_networks import Sample

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"


def test_the_manifest_is_one() -> None:
    (hook,) = load_manifest(str(MANIFEST))
    assert (hook["id"], hook["language"]) == ("onnxmem-inspect", "python")
    assert hook["entry"].split() == ["python", "-m", "onnxmem.cli.hook"]
    assert re.search(hook["files"], "nets/a.onnx")
    assert not re.search(hook["files"], "nets/a.onnx.txt")


def test_models_that_can_be_audited_pass(mlp: Sample, cnn: Sample) -> None:
    assert run(["-q", str(mlp.path), str(cnn.path)]) == 0


def test_the_worst_model_decides(
    mlp: Sample, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "-broken\x1b.onnx"
    broken.write_bytes(b"no model")
    assert run([str(broken), str(mlp.path)]) == 2
    assert "\x1b" not in capfd.readouterr().err


def test_without_models_there_is_nothing_to_do() -> None:
    assert run(["-q"]) == 0


def test_models_without_any_activation_pass_with_a_note(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = '<ir_version: 8, opset_import: ["": 17]> n (float[N,4] x) => (float[N,4] y) {y=Neg(x)}'
    onnx.save(onnx.parser.parse_model(text), tmp_path / "plain.onnx")
    assert run([str(tmp_path / "plain.onnx")]) == 0
    assert "has no activation to analyze" in capfd.readouterr().err
