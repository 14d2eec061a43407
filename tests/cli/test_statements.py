"""Documents about one model from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sample_networks import Sample

Command = Callable[..., Any]
QUICK = ("--compress", "nmf", "--batch", "mixed", "--ranks", "1,4", "--no-samples", "-q")


def test_an_audit_writes_them(command: Command, folder: Path, mlp: Sample) -> None:
    gate = ("--fail-under", "nmf.mixed=1")
    files = ("--attest", "a.json", "--bom", "b.json", "--json", "r.json")
    outcome = command("audit", mlp.path, "--data", mlp.data, *QUICK, *gate, *files)
    assert outcome.code == 1
    assert json.loads((folder / "a.json").read_text())["predicate"]["result"] == "FAILED"
    assert json.loads((folder / "b.json").read_text())["specVersion"] == "1.6"
    again = command("report", "r.json", "--attest", "again.json", "--model-card", "c.md", "-q")
    assert again.code == 1
    assert (folder / "again.json").read_text() == (folder / "a.json").read_text()
    assert (folder / "c.md").read_text("utf-8").startswith("---\ntags:")


def test_without_a_gate_nothing_is_measured(command: Command, folder: Path, mlp: Sample) -> None:
    outcome = command("audit", mlp.path, "--data", mlp.data, *QUICK, "--attest", "a.json")
    assert outcome.code == 2 and "--fail-under" in outcome.err
    assert not (folder / "a.json").exists()


def test_reports_of_samples_have_none(command: Command, folder: Path, mlp: Sample) -> None:
    command("samples", mlp.path, "--data", mlp.data, "-q", "--json", "s.json")
    outcome = command("report", "s.json", "--bom", "b.json")
    assert outcome.code == 2 and "cannot be written as bom" in outcome.err
