"""Calls with `sandbox=True`: the same answers, from a child that is not trusted."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.api import apart
from onnxmem.data import load
from onnxmem.errors import EnvironmentFailedError, ModelFileError, UsageError
from onnxmem.inspecting import Trial

QUICK: dict[str, Any] = {"ranks": [1, 2], "compress": ["nmf"], "batch": "mixed", "per_class": 8}


def same(one: Any, other: Any) -> bool:
    """Tell whether two reports are equal, but for where and how quickly they were made."""
    left, right = (
        dataclasses.replace(it, timings={}, environment={**it.environment, "sandbox": 0})
        for it in (one, other)
    )
    return bool(left == right)


def test_an_audit_is_the_same_and_says_what_was_in_force(mlp: Sample) -> None:
    heard: list[Any] = []
    waived = {"gate": "nmf.mixed", "reason": "known", "layer": "*"}
    given = {**QUICK, "fail_under": {"nmf.mixed": 0.999}, "waivers": [waived], "seed": np.int64(3)}
    here = onnxmem.audit(mlp.path, {"x": mlp.x}, mlp.y, **given)
    given |= {"sandbox": True, "progress": heard.append}
    there = onnxmem.audit(mlp.path.read_bytes(), {"x": mlp.x}, list(mlp.y), **given)
    assert isinstance(there, onnxmem.Report) and there.model.path == "model.onnx"
    assert same(dataclasses.replace(there, model=here.model), here)
    assert here.environment["sandbox"]["limits"] == []
    assert os.name == "nt" or "data" in there.environment["sandbox"]["limits"]
    assert heard[-1].done == heard[-1].total


def test_other_questions_have_the_same_answers(mlp: Sample) -> None:
    given = mlp.x, mlp.y
    assert same(onnxmem.samples(mlp.path, *given, sandbox=True), onnxmem.samples(mlp.path, *given))
    trial = Trial({"x": mlp.x})
    here, there = (onnxmem.inspect(mlp.path, trial=trial, sandbox=wish) for wish in (False, True))
    assert here == there and isinstance(there, onnxmem.Inspection)


def test_models_are_compared(mlp: Sample, tmp_path: Path) -> None:
    (tmp_path / "b.onnx").write_bytes(mlp.path.read_bytes())
    found = onnxmem.compare([mlp.path, tmp_path / "b.onnx"], mlp.x, mlp.y, sandbox=True, **QUICK)
    assert [one.environment["sandbox"]["reason"] for one in found.reports] != [
        "it was not asked for"
    ] * 2
    with pytest.raises(UsageError, match="reports are compared as they are"):
        onnxmem.compare(found.reports, sandbox=True)


def test_errors_are_of_the_same_class(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot read the model .*nothing\.onnx: No such"):
        onnxmem.inspect(tmp_path / "nothing.onnx", sandbox=True)


def test_a_call_that_takes_too_long_is_ended(mlp: Sample) -> None:
    with pytest.raises(EnvironmentFailedError, match=r"took longer than timeout=0\.1 s"):
        onnxmem.inspect(mlp.path, sandbox=True, timeout=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 5}, "timeout is for sandbox=True"),
        ({"timeout": 0, "sandbox": True}, "give seconds above 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(mlp: Sample, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        onnxmem.inspect(mlp.path, **options)


def test_data_that_were_read_here_are_not_sent(mlp: Sample, tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    (tmp_path / "a").mkdir()
    pillow.new("L", (2, 2)).save(tmp_path / "a" / "1.png")
    with pytest.raises(UsageError, match="give their path"):
        onnxmem.audit(mlp.path, load(tmp_path), sandbox=True)


HOSTILE = {
    "nonsense": ("b'\\x80\\x04cos\\nsystem\\n'", "gave no Inspection"),
    "another": ('b\'{"record": {"schema": 1}}\'', "gave no Inspection"),
    "code": ('b\'{"error": "os.system", "message": "true"}\'', "true"),
    "module": ('b\'{"error": "ClassVar", "message": "m"}\'', "m"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_child_writes_is_read_as_data_alone(
    mlp: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    content, words = HOSTILE[kind]
    (tmp_path / "hostile.py").write_text(
        f"import sys, pathlib; (pathlib.Path(sys.argv[1]) / 'answer.json').write_bytes({content})"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(apart, "MODULE", "hostile")
    with pytest.raises(EnvironmentFailedError, match=words):
        onnxmem.inspect(mlp.path, sandbox=True)


def test_a_child_that_says_nothing_is_told_of(
    mlp: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "silent.py").write_text("raise SystemExit('some cause')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(apart, "MODULE", "silent")
    with pytest.raises(EnvironmentFailedError, match="gave no answer: some cause"):
        onnxmem.inspect(mlp.path, sandbox=True)
