"""Temporary folders go with their process; what a killed one left goes with the next run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from onnxmem.cache import scratch
from onnxmem.cache.scratch import LOCK, remove_leftovers, scratch_folder

fcntl: ModuleType = pytest.importorskip("fcntl")

STAY = """
import sys, tempfile
from onnxmem.cache.scratch import scratch_folder

tempfile.tempdir = sys.argv[1]
with scratch_folder() as folder:
    (folder / "weights.bin").write_bytes(b"0" * 100)
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def start(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that uses a folder until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", STAY, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(place: Path) -> None:
    dead, leftover = start(place)
    alive, used = start(place)
    dead.kill()
    dead.communicate()
    assert names(place) == {leftover.name, used.name}
    with scratch_folder() as own:
        assert names(place) == {used.name, own.name}
        remove_leftovers(place)
        with scratch_folder() as other:
            assert names(place) == {used.name, own.name, other.name}
        assert (used / "weights.bin").stat().st_size == 100
    alive.communicate("end")
    assert alive.returncode == 0
    assert names(place) == set()


def abandoned(folder: Path) -> Path:
    """Make a folder as a killed process leaves it."""
    folder.mkdir()
    (folder / LOCK).touch()
    (folder / "weights.bin").touch()
    return folder


def test_a_folder_without_an_owner_goes(place: Path) -> None:
    abandoned(place / "onnxmem-abcd_123")
    remove_leftovers(place)
    assert names(place) == set()


@pytest.mark.parametrize("name", ["onnxmem-results", "onnxmem-abcd_1234", "my-onnxmem-abcd_123"])
def test_folders_with_other_names_stay(place: Path, name: str) -> None:
    folder = abandoned(place / name)
    remove_leftovers(place)
    assert (folder / "weights.bin").exists()


def no_lock(folder: Path) -> None:
    (folder / LOCK).unlink()


def not_locked_yet(folder: Path) -> None:
    (folder / LOCK).rename(folder / f"{LOCK}.new")


def linked_lock(folder: Path) -> None:
    (folder / LOCK).rename(folder.parent / "elsewhere")
    (folder / LOCK).symlink_to(folder.parent / "elsewhere")


def linked_folder(folder: Path) -> None:
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere", target_is_directory=True)


@pytest.mark.parametrize("change", [no_lock, not_locked_yet, linked_lock, linked_folder])
def test_what_is_not_certainly_ours_and_dead_stays(
    place: Path, change: Callable[[Path], None]
) -> None:
    folder = abandoned(place / "onnxmem-abcd_123")
    change(folder)
    remove_leftovers(place)
    assert (folder / "weights.bin").exists()


def test_a_folder_of_another_user_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = abandoned(place / "onnxmem-abcd_123")
    monkeypatch.setattr(scratch.os, "geteuid", lambda: folder.stat().st_uid + 1)
    remove_leftovers(place)
    assert folder.exists()


def test_a_place_that_cannot_be_listed_is_no_error(place: Path) -> None:
    remove_leftovers(place / "nowhere")


def refuse(*arguments: object) -> None:
    raise OSError("no locks here")


def test_without_locks_nothing_is_removed_but_the_own_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse)
    leftover = abandoned(place / "onnxmem-abcd_123")
    with scratch_folder() as own:
        assert not (own / LOCK).exists()
        assert names(place) == {leftover.name, own.name}
    assert names(place) == {leftover.name}


def test_without_the_module_nothing_is_removed_but_the_own_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "fcntl", None)
    leftover = abandoned(place / "onnxmem-abcd_123")
    with scratch_folder() as own:
        assert names(place) == {leftover.name, own.name}
    assert names(place) == {leftover.name}
