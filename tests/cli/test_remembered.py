"""A repeated audit takes the whole report from the cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

import onnxmem.auditing.run
from onnxmem.cache import surroundings

Command = Callable[..., Any]

FAST = (
    "--compress",
    "nmf",
    "--batch",
    "mixed",
    "--ranks",
    "1,4",
    "--per-class",
    "12",
    "--no-samples",
)
HEAVY = {
    *("onnx", "onnx_ir", "onnxruntime", "sympy", "numba", "numpy", "scipy"),
    *("altair", "jinja2", "vl_convert"),
}
DRIVER = """
import sys
from onnxmem.cli import main
try:
    main()
finally:
    print(*sys.modules, file=open("imported.txt", "w"))
"""


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Give a list that grows with every audit that measures something."""
    calls: list[object] = []
    run = onnxmem.auditing.run.run_audit

    def count(*arguments: Any, **others: Any) -> Any:
        calls.append(arguments)
        return run(*arguments, **others)

    monkeypatch.setattr(onnxmem.auditing.run, "run_audit", count)
    monkeypatch.setattr(surroundings, "may_have_cuda", lambda: False)
    return calls


def test_a_second_audit_imports_nothing_that_measures_or_draws(tmp_path: Path, mlp: Sample) -> None:
    line = [sys.executable, "-c", DRIVER, "audit", str(mlp.path), "--data", str(mlp.data), *FAST]
    environment = {**os.environ, "ONNXMEM_CACHE_DIR": str(tmp_path / "cache")}
    pages = []
    for _ in range(2):
        subprocess.run(
            [*line, "--device", "cpu", "--json", "r.json", "--html", "r.html"],
            check=True,
            cwd=tmp_path,
            env=environment,
        )
        pages.append((tmp_path / "r.html").read_bytes())
    modules = (tmp_path / "imported.txt").read_text().split()
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert pages[0] == pages[1]
    assert json.loads((tmp_path / "r.json").read_text())["timings"]["cached_layers"] == 2


def test_what_is_asked_decides(command: Command, mlp: Sample, measured: list[object]) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST)
    first = command(*audit, "--json", "a.json")
    assert first.code == 0 and len(measured) == 1
    again = command(*audit, "--json", "b.json", "-q")
    assert again.code == 0 and len(measured) == 1
    assert again.new_files == ("b.json",)
    failed = command(*audit, "--fail-under", "nmf.mixed=1")
    assert failed.code == 1 and len(measured) == 2
    assert command(*audit, "--fail-under", "nmf.mixed=1").code == 1
    assert command(*audit, "--fail-under", "nmf.mixed=1", "--exit-zero").code == 0
    assert len(measured) == 2
    command(*audit, "--no-cache")
    assert len(measured) == 3


def test_a_known_report_overwrites_no_input(
    command: Command, mlp: Sample, measured: list[object]
) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST)
    command(*audit)
    before = mlp.data.read_bytes()
    outcome = command(*audit, "--json", mlp.data)
    assert outcome.code == 2 and "would overwrite" in outcome.error
    assert mlp.data.read_bytes() == before
    assert len(measured) == 1


def test_a_damaged_entry_is_measured_again(
    command: Command, mlp: Sample, measured: list[object], cache_folder: Path
) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST)
    command(*audit)
    for entry in cache_folder.iterdir():
        entry.write_bytes(entry.read_bytes()[:-1])
    assert command(*audit).code == 0
    assert len(measured) == 2
