"""`onnxmem audit --workers` and `--scheduler`: the report of one process, one line on errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

Command = Callable[..., Any]
QUICK = ("--compress", "nmf", "--batch", "mixed", "--ranks", "1,2", "--per-class", "5")


@pytest.mark.parametrize("cache", ["--cache", "--no-cache"])
def test_workers_give_the_report_of_one_process(
    mlp: Sample, command: Command, folder: Path, cache: str
) -> None:
    asked = ("audit", mlp.path, "--data", mlp.data, *QUICK, "-q", "--json")
    assert command(*asked, "alone.json", "--no-cache").code == 0
    assert command(*asked, "spread.json", "--workers", 2, cache).code == 0
    alone, spread = (json.loads((folder / f"{name}.json").read_text()) for name in NAMES)
    assert alone.pop("timings") != spread.pop("timings")
    assert alone == spread


NAMES = ("alone", "spread")


def test_what_workers_cannot_do_is_said_once(mlp: Sample, command: Command, folder: Path) -> None:
    (folder / "other.npz").write_bytes(mlp.data.read_bytes()[:50])
    found = command("audit", mlp.path, "--data", "other.npz", "--workers", 1)
    assert found.code == 2 and found.err.count("\n") == 1


def test_two_kinds_of_workers_are_one_too_many(mlp: Sample, command: Command) -> None:
    found = command(
        "audit", mlp.path, "--data", mlp.data, "--workers", 2, "--scheduler", "tcp://127.0.0.1:1"
    )
    assert found.code == 2 and "exclude each other" in found.err


def test_a_scheduler_needs_dask(
    mlp: Sample, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    found = command("audit", mlp.path, "--data", mlp.data, "--scheduler", "tcp://127.0.0.1:1")
    assert found.code == 4 and "onnxmem[dask]" in found.err
    assert found.err.count("\n") == 1
