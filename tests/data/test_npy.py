"""`.npy` files: read as far as they are used, and never unpickled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnxmem.data import Lazy, columns, load, make_samples, npy
from onnxmem.errors import DataError, UsageError

X = np.arange(24, dtype=np.float64).reshape(8, 3)
Y = np.arange(8) % 2


HEADER = {"descr": "<f4", "fortran_order": False, "shape": (9, 3)}
HEADER_WITHOUT_VALUES = (
    b"\x93NUMPY\x01\x00" + len(repr(HEADER)).to_bytes(2, "little") + (repr(HEADER).encode())
)


@dataclass(frozen=True)
class Spec:
    name: str = "x"
    dtype: str | None = "float32"
    shape: tuple[Any, ...] | None = (None, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with the arrays x, y and split."""
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    np.save(tmp_path / "split.npy", np.array(["train", "test"])[Y])
    return tmp_path


def test_folder_holds_what_an_archive_of_its_arrays_holds(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", x=X, y=Y, split=np.array(["train", "test"])[Y])
    one, other = (make_samples(load(path), [Spec()]) for path in (folder, tmp_path / "all.npz"))
    assert one.sha256 == other.sha256
    assert isinstance(one.inputs["x"], Lazy)
    np.testing.assert_array_equal(one.inputs["x"][:], other.inputs["x"][:])
    np.testing.assert_array_equal(one.inputs["x"][np.array([3, 1])], X[[6, 2]])
    assert one.inputs["x"][:].dtype == np.float32


def test_single_array_with_labels_beside_it(folder: Path) -> None:
    loaded = load(folder / "x.npy", labels=folder / "y.npy")
    assert make_samples(loaded, [Spec("image")]).labels is not None
    assert "y" not in load(folder / "x.npy")


def test_labels_twice_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="leave --labels out"):
        load(folder, labels=folder / "y.npy")


@pytest.mark.parametrize("name", ["nowhere.npy", "x.txt", "scalar.npy"])
def test_labels_that_are_none(folder: Path, name: str) -> None:
    (folder / "x.txt").write_text("1 2 3")
    np.save(folder / "scalar.npy", 3)
    with pytest.raises(DataError, match=name):
        load(folder / "x.npy", labels=folder / name)


def test_fixed_input_is_shared(folder: Path) -> None:
    np.save(folder / "table.npy", np.ones((2, 2)))
    samples = make_samples(load(folder), [Spec(), Spec("table", shape=(2, 2))])
    assert samples.shared["table"].dtype == np.float32
    assert set(samples.inputs) == {"x"}


def test_values_that_are_not_finite_are_counted_over_all_blocks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "BLOCK_BYTES", 2 * 3 * 4)
    np.save(folder / "x.npy", np.where(X % 6 == 0, np.nan, X))
    (folder / "split.npy").unlink()
    with pytest.raises(DataError, match="NaN or infinite in 4 samples: row 0, row 2"):
        make_samples(load(folder), [Spec()])


def test_blocks_do_not_change_the_identity(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_samples(load(folder), [Spec()]).sha256
    monkeypatch.setattr(columns, "BLOCK_BYTES", 1)
    assert make_samples(load(folder), [Spec()]).sha256 == whole


def test_never_more_rows_than_a_block_are_read_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "BLOCK_BYTES", 2 * 3 * X.itemsize)
    sizes = []
    read = npy.NpyFile.__getitem__
    monkeypatch.setattr(
        npy.NpyFile, "__getitem__", lambda file, rows: sizes.append(len(rows)) or read(file, rows)
    )
    make_samples({"x": load(folder)["x"]}, [Spec()])
    assert max(sizes) == 2


def test_integers_that_do_not_fit_are_refused_when_they_are_read(folder: Path) -> None:
    np.save(folder / "x.npy", X.astype(np.int64) + 300)
    with pytest.raises(DataError, match="takes uint8"):
        make_samples(load(folder), [Spec(dtype="uint8")])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (np.array([{}, []], object), "never unpickled"),
        (b"\x93NUMPY\x01\x00", "truncated or damaged"),
        (HEADER_WITHOUT_VALUES, "truncated or damaged"),
        (b"nothing of the kind", "is no .npy file; write one with numpy.save"),
    ],
)
def test_damaged_files_are_refused(folder: Path, content: Any, match: str) -> None:
    if isinstance(content, bytes):
        (folder / "x.npy").write_bytes(content)
    else:
        np.save(folder / "x.npy", content, allow_pickle=True)
    with pytest.raises(DataError, match=match):
        load(folder)


def test_text_and_empty_arrays(folder: Path) -> None:
    np.save(folder / "x.npy", np.array([["a"], ["b"]] * 4))
    samples = make_samples(load(folder), [Spec(dtype="str", shape=(None, 1))])
    assert samples.inputs["x"][:].dtype == object
    np.save(folder / "x.npy", X[:0])
    for name in ("y", "split"):
        (folder / f"{name}.npy").unlink()
    with pytest.raises(DataError, match="no samples"):
        make_samples(load(folder), [Spec()])


@pytest.mark.parametrize("shape", [b"(8, 3(", b"{[]:1}"])
def test_a_header_that_makes_no_sense_is_no_internal_error(folder: Path, shape: bytes) -> None:
    path = folder / "x.npy"
    path.write_bytes(path.read_bytes().replace(b"(8, 3)", shape))
    with pytest.raises(DataError, match="damaged"):
        load(path)


@pytest.mark.parametrize("name", ["y.csv", "split.txt", "id.parquet"])
def test_labels_beside_arrays_that_are_not_read_are_an_error(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    (tmp_path / name).write_text("0\n1\n")
    with pytest.raises(DataError, match=f"{name} is not read"):
        load(tmp_path)
