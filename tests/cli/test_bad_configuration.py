"""Configuration files that cannot be used: one line that names file and key, and exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

CONFIGURATIONS = {
    "unknown key": ("onnxmem.toml", "per-clas = 20", "'per-class'"),
    "unknown key of a project": ("pyproject.toml", "[tool.onnxmem]\nsede = 1", "'seed'"),
    "not TOML": ("onnxmem.toml", "per-class 20", "onnxmem.toml"),
    "not text": ("onnxmem.toml", "\udcff", "onnxmem.toml"),
    "wrong value": ("onnxmem.toml", 'per-class = "many"', "many"),
    "deep lists": ("onnxmem.toml", f"per-class = {'[' * 200}{']' * 200}", "too deep"),
    "deep tables": ("pyproject.toml", f"[tool.onnxmem{'.a' * 200}]\nb = 1", "too deep"),
    "no table": ("pyproject.toml", "[tool]\nonnxmem = 3", "pyproject.toml"),
    "tool is no table": ("pyproject.toml", "tool = 3", "pyproject.toml"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_wrong_configuration(
    command: Callable[..., Any], mlp: Sample, folder: Path, case: str
) -> None:
    name, text, expected = CONFIGURATIONS[case]
    (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    outcome = command("audit", mlp.path, "--data", mlp.data)
    assert outcome.code == 2
    assert expected in outcome.error
