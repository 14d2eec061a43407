"""Data larger than the budget are refused by what their headers say, before they are read."""

from __future__ import annotations

import os
import socket
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnxmem.data import Lazy, load, make_samples
from onnxmem.data.npz import load as load_npz
from onnxmem.errors import DataError, OutOfMemoryError

MEMORY = 1 << 20


@dataclass(frozen=True)
class Spec:
    name: str = "x"
    dtype: str | None = "float32"
    shape: tuple[Any, ...] | None = (None, 1, 8, 8)


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def npy(array: np.ndarray, path: Path) -> bytes:
    np.save(path, array)
    return path.read_bytes()


def test_arrays_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=np.zeros(MEMORY // 12), y=np.zeros(MEMORY // 12))
    with pytest.raises(OutOfMemoryError, match=r"takes 1.3 MiB .* budget is 1.0 MiB; use a larger"):
        load(tmp_path / "d.npz", memory=MEMORY)
    assert load(tmp_path / "d.npz", memory=2 * MEMORY)["x"].size == MEMORY // 12


def test_an_array_that_says_more_than_its_entry_holds_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "d.npz", {"x.npy": npy(np.zeros(3), tmp_path / "a.npy")[:-8]})
    with pytest.raises(DataError, match=r"'x' of .*damaged \(it says that it has 24 bytes"):
        load(path)


def test_a_member_that_is_no_array_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(
        tmp_path / "d.npz", {"x.npy": npy(np.ones(3), tmp_path / "x.npy"), "z": bytes(9**6)}
    )
    read: list[int] = []
    plain = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        content = plain(self, n)
        read.append(len(content))
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    with pytest.raises(DataError, match="'z', which is no NumPy array"):
        load_npz(path)
    assert sum(read) < 1000


def test_labels_and_reserved_arrays_of_a_folder_count(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(MEMORY))
    assert isinstance(load(tmp_path, memory=MEMORY)["x"], Lazy)
    np.save(tmp_path / "y.npy", np.zeros(MEMORY))
    with pytest.raises(OutOfMemoryError, match=r"y\.npy takes 8\.0 MiB"):
        load(tmp_path, memory=MEMORY)
    with pytest.raises(OutOfMemoryError, match=r"y\.npy takes 8\.0 MiB"):
        load(tmp_path / "x.npy", labels=tmp_path / "y.npy", memory=MEMORY)


def whole_of_x(path: Path) -> np.ndarray:
    return load(path, memory=MEMORY // 2)["x"][:]


@pytest.mark.parametrize("name", ["y", "x"])
def test_a_group_of_rows_that_a_few_bytes_stand_for(tmp_path: Path, name: str) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"x": np.arange(10.0), "y": np.arange(10)} | {name: np.zeros(10)}
    table = pa.table({key: np.resize(values, MEMORY // 10) for key, values in columns.items()})
    path = tmp_path / "d.parquet"
    parquet.write_table(table, path)
    assert path.stat().st_size < 5 * MEMORY
    with pytest.raises(OutOfMemoryError, match=r"takes .* of memory, the budget is"):
        whole_of_x(path)


def image_of(width: int, height: int) -> bytes:
    """Return the beginning of a PNG of that size, grey and without pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"\0" * 10)
    parts = [
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (header, pixels, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("size", "words"), [((9000, 9000), []), ((1, 60), ["size=60000", "crop=8"])]
)
def test_a_large_image_is_refused_before_its_pixels_are_made(
    tmp_path: Path, size: tuple[int, int], words: list[str]
) -> None:
    pillow = pytest.importorskip("PIL.Image")
    for name in ("a", "b"):
        (tmp_path / "d" / name).mkdir(parents=True)
        path = tmp_path / "d" / name / "1.png"
        path.write_bytes(image_of(*size))
        if words:
            pillow.new("L", size).save(path)
    columns = load(tmp_path / "d", preprocess=words, memory=1 << 25)
    with pytest.raises(
        OutOfMemoryError, match=r"1\.png.* takes .* of memory, the budget is 32\.0 MiB"
    ):
        make_samples(columns, [Spec()]).inputs["x"][np.array([0])]


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
def test_a_pipe_a_socket_or_a_device_is_not_read(tmp_path: Path, kind: str, name: str) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    if kind == "fifo":
        os.mkfifo(folder / name)
    elif kind == "device":
        (folder / name).symlink_to("/dev/zero")
    else:
        here = os.getcwd()
        os.chdir(folder)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(name)
        os.chdir(here)
    for path in (folder, folder / name):
        with pytest.raises(DataError, match="a pipe, a socket or a device; give a file"):
            load(path)


def test_class_names_from_a_device_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.data.files._LONGEST_TEXT", 1000)
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 2)), y=np.array(["a", "b"]))
    with pytest.raises(DataError, match="too long"):
        load(tmp_path / "d.npz", class_names="/dev/zero")
