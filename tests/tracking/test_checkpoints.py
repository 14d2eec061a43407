"""Checkpoints are found in the order of training, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnxmem.errors import UsageError
from onnxmem.tracking import find_checkpoints

NAMES = ("epoch_10.onnx", "epoch_2.onnx", "epoch_1.onnx", "notes.txt", "last.ONNX")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with checkpoints."""
    for name in NAMES:
        (tmp_path / name).touch()
    (tmp_path / "epoch_3.onnx").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*places: str) -> list[str]:
    return [Path(path).name for path in find_checkpoints(places)]


def test_files_keep_the_order_in_which_they_are_given(folder: Path) -> None:
    assert names("epoch_10.onnx", "epoch_1.onnx") == ["epoch_10.onnx", "epoch_1.onnx"]


def test_patterns_and_folders_come_in_natural_order(folder: Path) -> None:
    (folder / "epoch_3.onnx").rmdir()
    assert names("epoch_*.onnx") == ["epoch_1.onnx", "epoch_2.onnx", "epoch_10.onnx"]
    assert names(".") == ["epoch_1.onnx", "epoch_2.onnx", "epoch_10.onnx", "last.ONNX"]


def test_numbers_anywhere_in_a_path_count(folder: Path) -> None:
    for step in (100, 20, 3):
        (folder / f"step-{step}").mkdir()
        (folder / f"step-{step}" / "model.onnx").touch()
    found = find_checkpoints(["step-*/model.onnx"])
    assert [Path(path).parent.name for path in found] == ["step-3", "step-20", "step-100"]


def test_a_file_that_is_given_twice_is_taken_once(folder: Path) -> None:
    assert names("epoch_2.onnx", "epoch_1*.onnx", "./epoch_2.onnx") == [
        "epoch_2.onnx", "epoch_1.onnx", "epoch_10.onnx",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "said"),
    [("*.pt", "no file meets the pattern"), ("empty", "holds no .onnx file")],
)
def test_a_place_without_a_checkpoint_is_wrong_usage(folder: Path, place: str, said: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match=said):
        find_checkpoints([place])
    with pytest.raises(UsageError, match="no checkpoint"):
        find_checkpoints([])


def test_a_name_with_brackets_is_a_file_where_there_is_one(folder: Path) -> None:
    (folder / "net[1].onnx").touch()
    assert names("net[1].onnx") == ["net[1].onnx"]
