"""`onnxmem doctor`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_table_goes_to_stdout(command: Command) -> None:
    outcome = command("doctor")
    assert outcome.code == 0
    assert "CPUExecutionProvider" in outcome.out.replace("\n", "").replace(" ", "")
    assert not outcome.err


def test_json_on_stdout_is_alone_there(command: Command) -> None:
    outcome = command("doctor", "--json", "-")
    assert json.loads(outcome.out)["usable"] is True


def test_json_goes_to_a_file_and_nowhere_else(command: Command, folder: Path) -> None:
    outcome = command("doctor", "--json", "doctor.json", "-q")
    assert outcome.new_files == ("doctor.json",)
    assert not outcome.out
    assert json.loads((folder / "doctor.json").read_text())["schema"] == "onnxmem.doctor/1"


def test_unusable_environment_has_a_code_of_its_own(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    outcome = command("doctor")
    assert outcome.code == 4
    assert "pip install onnxruntime" in " ".join(outcome.out.split())
