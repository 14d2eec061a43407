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


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"x,y\n1,2\n", r"is no \.npz archive"),
        (b"", "is empty; write or download it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "git lfs pull"),
        (b"\n<html><body>Sign in", "is a web page, not the data file; download the file itself"),
        (b"\x1f\x8b\x08\x00", "is gzip-compressed, not the data file; unpack it"),
        (b"\x80\x04\x95", "is a pickle .*never unpickled.*; save it in a format"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"PK\x03\x04" + bytes(40), "is truncated or damaged .its end is missing"),
    ],
)
@pytest.mark.parametrize("name", ["data.csv", "data.npz", "data.npy", "data.arrow"])
def test_what_is_no_data_is_refused(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    if name == "data.arrow":
        pytest.importorskip("pyarrow")
        match = f"{match}|is truncated or damaged"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=match) as error:
        load(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_truncated_archive_is_called_so(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(DataError, match="is truncated or damaged"):
        load(archive)


@pytest.mark.parametrize("option", ["labels", "class_names", "preprocess"])
def test_files_of_options_that_cannot_be_read(archive: Path, tmp_path: Path, option: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "pointer").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d\n")
    cases = {
        "nowhere": "no such file of .*; check the path",
        "folder": "it is a folder; give the file",
        "photo": r"no text in UTF-8|no \.npy file",
        "pointer": "is a Git LFS pointer, not the file of",
    }
    for name, match in cases.items():
        with pytest.raises(DataError, match=match) as error:
            load(archive, **{option: tmp_path / name})
        assert str(tmp_path / name) in str(error.value)
        assert "Errno" not in str(error.value)


def test_a_path_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such data"):
        load(tmp_path / "data")
