"""Options from files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

Command = Callable[..., Any]


@pytest.fixture
def settings(command: Command, folder: Path, mlp: Sample) -> Callable[..., dict[str, Any]]:
    """Return the function that audits with a configuration and returns the report's settings."""

    def run(text: str, *options: str, name: str = "onnxmem.toml") -> dict[str, Any]:
        (folder / name).write_text(text)
        outcome = command("audit", mlp.path, "--data", mlp.data, "-q", "--json", "r.json", *options)
        assert outcome.code in (0, 1), outcome
        report = json.loads((folder / "r.json").read_text())
        found: dict[str, Any] = report["settings"] | {"verdict": report["verdict"]}
        return found

    return run


FAST = 'compress = "nmf"\nbatch = ["mixed"]\nranks = [1, 4]\n'


def test_options_of_the_own_file(settings: Callable[..., dict[str, Any]]) -> None:
    found = settings(FAST + "per-class = 12\nseed = 3\nexact = true\nmin_accuracy = 0.5")
    assert (found["per_class"], found["seed"], found["exact"]) == (12, 3, True)
    assert (found["compress"], found["batch"], found["ranks"]) == (["nmf"], ["mixed"], [1, 4])
    assert found["min_accuracy"] == 0.5


def test_options_of_the_project(settings: Callable[..., dict[str, Any]]) -> None:
    text = "[project]\nname = 'p'\n[tool.onnxmem]\nper-class = 12\n" + FAST
    assert settings(text, name="pyproject.toml")["per_class"] == 12


def test_own_file_goes_before_the_project(
    settings: Callable[..., dict[str, Any]], folder: Path
) -> None:
    (folder / "pyproject.toml").write_text("[tool.onnxmem]\nper-class = 12\n")
    assert settings(FAST + "per-class = 11")["per_class"] == 11


def test_project_without_our_table_changes_nothing(
    settings: Callable[..., dict[str, Any]],
) -> None:
    found = settings("[tool.other]\nx = 1", "--ranks", "1", name="pyproject.toml")
    assert found["per_class"] == 30


def test_command_line_goes_before_files(settings: Callable[..., dict[str, Any]]) -> None:
    assert settings(FAST + "per-class = 12", "--per-class", "13")["per_class"] == 13


@pytest.mark.parametrize("layers", ['"relu2"', '["relu2"]'])
def test_one_or_several_layers(settings: Callable[..., dict[str, Any]], layers: str) -> None:
    assert settings(FAST + f"layers = {layers}")["layers"] == ["relu2"]


@pytest.mark.parametrize(
    "gate",
    [
        'fail-under = "nmf.mixed=0.1"',
        'fail-under = ["nmf.mixed=0.1"]',
        'fail-under = {"nmf.mixed" = 0.1}',
        "[fail-under]\nnmf.mixed = 0.1",
    ],
)
def test_gates(settings: Callable[..., dict[str, Any]], gate: str) -> None:
    found = settings(FAST + gate)
    assert found["fail_under"] == {"nmf.mixed": 0.1}
    assert found["verdict"] == "pass"


@pytest.mark.parametrize("line", ["seed = 1.5", "per-class = true", 'exact = "perhaps"'])
def test_values_of_another_type_are_not_rounded(
    command: Command, folder: Path, mlp: Sample, line: str
) -> None:
    (folder / "onnxmem.toml").write_text(line)
    outcome = command("audit", mlp.path, "--data", mlp.data)
    assert outcome.code == 2
    assert "--" + line.split(" ")[0] in outcome.error


def test_commands_without_settings_ignore_them(command: Command, folder: Path) -> None:
    (folder / "onnxmem.toml").write_text("per-class = 12")
    assert command("doctor", "-q").code == 0
