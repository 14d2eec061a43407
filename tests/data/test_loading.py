"""Which reader a path gets, and options that a format does not take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onnxmem.data import load
from onnxmem.errors import DataError, UsageError

X, Y = np.ones((4, 3)), np.arange(4)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    np.savez(tmp_path / "data.npz", x=X, kind=Y, word=np.array(["a", "b", "a", "c"]))
    return tmp_path / "data.npz"


def test_first_bytes_decide_and_not_the_name(archive: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", X)
    for path in (archive, tmp_path / "array.npy"):
        renamed = path.rename(path.with_suffix(".bin"))
        assert "x" in load(renamed)


def test_labels_under_another_name(archive: Path) -> None:
    np.testing.assert_array_equal(load(archive, label_column="kind")["y"][:], Y)
    with pytest.raises(DataError, match="no labels 'label'; it holds 'kind', 'word', 'x'"):
        load(archive, label_column="label")


def test_labels_in_two_places_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=X, y=Y, kind=Y)
    with pytest.raises(DataError, match="labels in 'y' and in 'kind'"):
        load(tmp_path / "data.npz", label_column="kind")


def test_names_of_classes_for_labels_in_an_archive(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("c\nb\na\n")
    columns = load(archive, label_column="word", class_names=tmp_path / "names.txt")
    assert columns["y"][:].tolist() == [2, 1, 2, 0]
    with pytest.raises(DataError, match="labels that are names"):
        load(archive, label_column="kind", class_names=tmp_path / "names.txt")
    with pytest.raises(DataError, match="does not hold"):
        load(archive, class_names=tmp_path / "names.txt")


def test_preparation_of_images_that_are_none(archive: Path) -> None:
    with pytest.raises(UsageError, match="leave it out"):
        load(archive, preprocess="size=3")


@pytest.mark.parametrize("content", ["x,y\n1,2\n", ""])
def test_what_is_no_data_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "data.csv").write_text(content)
    with pytest.raises(DataError, match=r"data\.csv is no \.npz archive"):
        load(tmp_path / "data.csv")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such data"):
        load(tmp_path / "data")
