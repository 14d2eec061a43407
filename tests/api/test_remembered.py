"""A repeated call gets its whole report from the cache, where nothing has changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.api import audit as calling
from onnxmem.cache import surroundings
from onnxmem.records import CACHED_LAYERS

QUICK: dict[str, Any] = {
    "compress": ("nmf",), "batch": ("mixed",), "ranks": (1, 4), "samples": False, "device": "cpu"
}  # fmt: skip


@pytest.fixture
def audits(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Give a list that grows with every audit that opens a network."""
    calls: list[object] = []
    run = calling.run_audit

    def count(*arguments: Any, **others: Any) -> Any:
        calls.append(arguments)
        return run(*arguments, **others)

    monkeypatch.setattr(calling, "run_audit", count)
    monkeypatch.setattr(surroundings, "may_have_cuda", lambda: False)
    return calls


def without_timings(report: onnxmem.Report) -> dict[str, Any]:
    return report.to_dict() | {"timings": {}}


@pytest.mark.parametrize("form", ["arrays", "file"])
def test_a_repeated_call_opens_no_network(
    mlp: Sample, audits: list[object], tmp_path: Path, form: str
) -> None:
    given = (mlp.x, mlp.y) if form == "arrays" else (mlp.data,)
    first, second = (
        onnxmem.audit(mlp.path, *given, cache=tmp_path / "cache", **QUICK) for _ in range(2)
    )
    assert len(audits) == 1
    assert isinstance(second, onnxmem.Report)
    assert without_timings(first) == without_timings(second)
    assert second.timings[CACHED_LAYERS] == len(second.layers)


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "labels": lambda given: given | {"y": np.roll(given["y"], 1)},
    "a sample": lambda given: given | {"x": given["x"] + np.eye(*given["x"].shape, dtype="f4")},
    "a setting": lambda given: given | {"seed": 1},
    "a gate": lambda given: given | {"fail_under": {"nmf.mixed": 0.99}},
    "held-out samples": lambda given: given | {"held_out": given["x"][::2]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_given_decides(
    mlp: Sample, audits: list[object], tmp_path: Path, change: str
) -> None:
    given = {"x": mlp.x, "y": mlp.y, "cache": tmp_path / "cache", **QUICK}
    onnxmem.audit(mlp.path, **given)
    onnxmem.audit(mlp.path, **CHANGES[change](given))
    assert len(audits) == 2


def test_another_model_under_the_same_name_is_measured(
    mlp: Sample, cnn: Sample, audits: list[object], tmp_path: Path
) -> None:
    path = tmp_path / "net.onnx"
    for sample in (mlp, cnn):
        shutil.copy(sample.path, path)
        onnxmem.audit(path, sample.x, sample.y, cache=tmp_path / "cache", **QUICK)
    assert len(audits) == 2


def test_samples_that_change_meanwhile_keep_nothing(
    mlp: Sample, audits: list[object], tmp_path: Path
) -> None:
    x = mlp.x.copy()

    def change(event: object) -> None:
        x[0] += 1

    for _ in range(2):
        onnxmem.audit(mlp.path, x, mlp.y, cache=tmp_path / "cache", progress=change, **QUICK)
        x[:] = mlp.x
    assert len(audits) == 2


def test_a_model_in_memory_is_opened_again(
    mlp: Sample, audits: list[object], tmp_path: Path
) -> None:
    content = mlp.path.read_bytes()
    for _ in range(2):
        onnxmem.audit(content, mlp.x, mlp.y, cache=tmp_path / "cache", **QUICK)
    assert len(audits) == 2
