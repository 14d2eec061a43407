"""`onnxmem cache`, and how audits on the command line use what it shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

Command = Callable[..., Any]

FAST = ("--compress", "nmf", "--batch", "mixed", "--ranks", "1,4", "--per-class", "12")
KNOWN = "2 of 2 layers from the cache"
KEPT = 12
"""Curves of two layers; neighbours at both and at the input, found by model and by features;
predictions; the whole report; who the network is and that its neighbours are known, for plans."""


def entries(command: Command) -> int:
    found: int = json.loads(command("cache", "--json", "-").out)["entries"]
    return found


def in_process(mlp: Sample, cache: Path) -> subprocess.Popen[str]:
    """Start an audit in a process of its own."""
    start = [sys.executable, "-c", "from onnxmem.cli import main; main()", "audit", str(mlp.path)]
    return subprocess.Popen(
        [*start, "--data", str(mlp.data), *FAST, "--json", "-"],
        env={**os.environ, "ONNXMEM_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_second_audit_says_what_it_knew(command: Command, mlp: Sample) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST)
    assert KNOWN not in command(*audit).out
    assert KNOWN in command(*audit).out
    assert entries(command) == KEPT


def test_progress_on_a_terminal_says_it_too(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST, "--json", "r.json")
    command(*audit)
    assert "from the cache" not in command(*audit).err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "from the cache" in command(*audit).err


def test_report_is_equal_but_for_its_timings(command: Command, mlp: Sample) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST, "--json", "-")
    fresh, known = (command(*audit).out.partition('"timings"') for _ in range(2))
    assert fresh[0] == known[0]
    assert ("cached_layers" in fresh[2], "cached_layers" in known[2]) == (False, True)


def test_without_cache_nothing_is_kept_or_taken(
    command: Command, mlp: Sample, cache_folder: Path
) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST)
    command(*audit, "--no-cache")
    assert not cache_folder.exists()
    command(*audit)
    assert KNOWN not in command(*audit, "--no-cache").out


def test_configuration_turns_it_off(
    command: Command, mlp: Sample, folder: Path, cache_folder: Path
) -> None:
    (folder / "onnxmem.toml").write_text("cache = false\n")
    command("audit", mlp.path, "--data", mlp.data, *FAST)
    assert not cache_folder.exists()
    command("audit", mlp.path, "--data", mlp.data, *FAST, "--cache")
    assert entries(command) == KEPT


def test_compare_and_audit_share_it(command: Command, mlp: Sample, folder: Path) -> None:
    command("audit", mlp.path, "--data", mlp.data, *FAST)
    copy = shutil.copy(mlp.path, folder / "copy.onnx")
    outcome = command("compare", mlp.path, copy, "--data", mlp.data, *FAST)
    assert outcome.code == 0
    assert entries(command) == KEPT


def test_shows_place_size_and_number(command: Command, mlp: Sample, cache_folder: Path) -> None:
    command("audit", mlp.path, "--data", mlp.data, *FAST)
    values = json.loads(command("cache", "--json", "-").out)
    size = sum(path.stat().st_size for path in cache_folder.iterdir())
    assert values == {
        "schema": "onnxmem.cache/1",
        "folder": str(cache_folder),
        "entries": KEPT,
        "bytes": size,
        "limit": 2**30,
    }
    shown = command("cache").out
    assert cache_folder.name in shown
    assert "KiB of 1.0 GiB" in shown


def test_clear_empties_it_and_nothing_else(
    command: Command, mlp: Sample, cache_folder: Path
) -> None:
    command("audit", mlp.path, "--data", mlp.data, *FAST)
    (cache_folder / "mine.txt").write_text("mine")
    outcome = command("cache", "clear")
    assert outcome.code == 0
    assert not outcome.out
    assert f"removed {KEPT} results" in outcome.err
    assert [path.name for path in cache_folder.iterdir()] == ["mine.txt"]
    assert "removed 0 results" in command("cache", "clear").err


def test_looking_at_a_cache_that_is_not_there_makes_none(
    command: Command, cache_folder: Path
) -> None:
    assert entries(command) == 0
    assert command("cache", "clear", "-q").code == 0
    assert not cache_folder.exists()


def test_an_unknown_action_is_wrong_usage(command: Command) -> None:
    outcome = command("cache", "burn")
    assert outcome.code == 2
    assert "burn" in outcome.error


@pytest.mark.parametrize("arguments", [("cache",), ("audit", "m.onnx", "--data", "d.npz")])
def test_wrong_size_names_the_variable(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ONNXMEM_CACHE_SIZE", "plenty")
    outcome = command(*arguments)
    assert outcome.code == 2
    assert "ONNXMEM_CACHE_SIZE" in outcome.error


def test_size_of_nothing_keeps_nothing(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    monkeypatch.setenv("ONNXMEM_CACHE_SIZE", "0")
    outcome = command("audit", mlp.path, "--data", mlp.data, *FAST)
    assert (outcome.code, outcome.err) == (0, "")
    assert not cache_folder.exists()


def test_folder_that_cannot_be_made_is_a_note(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "file").write_text("mine")
    monkeypatch.setenv("ONNXMEM_CACHE_DIR", str(folder / "file" / "cache"))
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST)
    outcome = command(*audit)
    assert outcome.code == 0
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("onnxmem: note: cannot keep results in ")
    assert not command(*audit, "-q").err


@pytest.mark.skipif(os.name != "posix", reason="homes of POSIX")
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_CACHE_HOME": "relative"},
        {"HOME": "relative"},
        {"HOME": "/dev/null"},
        {"HOME": "/proc"},
        {"ONNXMEM_CACHE_DIR": "/dev/full"},
    ],
)
def test_audit_succeeds_wherever_home_is(
    command: Command,
    folder: Path,
    mlp: Sample,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "ONNXMEM_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # nobody has a home of his own
    outcome = command("audit", mlp.path, "--data", mlp.data, *FAST, "--json", "-")
    assert outcome.code == 0
    assert json.loads(outcome.out)["verdict"] == "none"
    assert not outcome.new_files
    assert "onnxmem: note: " in outcome.err
    assert command("cache").code == 0
    assert command("doctor").code == 0


def test_two_audits_at_once_share_one_cache(folder: Path, mlp: Sample) -> None:
    processes = [in_process(mlp, folder / "shared") for _ in range(2)]
    reports = [process.communicate()[0].partition('"timings"')[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert reports[0] == reports[1]
    assert [path.suffix for path in (folder / "shared").iterdir()] == [".result"] * KEPT


def test_doctor_says_where_it_is(
    command: Command, cache_folder: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def check() -> dict[str, str]:
        checks = json.loads(command("doctor", "--json", "-").out)["checks"]
        (found,) = (one for one in checks if one["name"] == "cache")
        return dict(found)

    assert check() == {
        "name": "cache",
        "state": "ok",
        "detail": f"{cache_folder}: 0 results, 0.0 KiB",
        "mend": "",
    }
    monkeypatch.setenv("ONNXMEM_CACHE_SIZE", "plenty")
    assert (check()["state"], "ONNXMEM_CACHE_SIZE" in check()["detail"]) == ("broken", True)
