"""Reading archives, of which nothing is ever unpickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onnxmem.data import load
from onnxmem.errors import DataError


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_all_arrays_by_name(tmp_path: Path, save: object) -> None:
    arrays = {"x": np.ones((2, 3), np.float32), "y": np.arange(2), "split": np.array(["a", "b"])}
    save(tmp_path / "data.npz", **arrays)  # type: ignore[operator]
    loaded = load(tmp_path / "data.npz")
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    with (tmp_path / "data.bin").open("wb") as stream:
        np.savez(stream, x=np.ones(3))
    assert set(load(tmp_path / "data.bin")) == {"x"}


def test_empty_archive_holds_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz")
    assert load(tmp_path / "data.npz") == {}


def test_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.array([{}], object))
    with pytest.raises(DataError, match=r"'x' of .*never unpickled"):
        load(tmp_path / "data.npz")


@pytest.mark.parametrize(("place", "value"), [(8, 1), (8, 1 << 5), (10, 97)])
def test_passwords_and_unknown_compression_are_no_internal_error(
    tmp_path: Path, place: int, value: int
) -> None:
    """The bytes 8 and 10 of an entry of the directory are its flags and its compression."""
    path = tmp_path / "data.npz"
    np.savez(path, x=np.ones((2, 3)))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + place] = value
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        load(path)
