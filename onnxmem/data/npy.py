"""Reads `.npy` files: mapped into memory only while rows of them are copied, never unpickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onnxmem.data.budget import UNBOUNDED, Budget
from onnxmem.data.columns import RESERVED, Column, Lazy
from onnxmem.data.files import UNREADABLE, begin, damaged, regular_files
from onnxmem.errors import DataError

MAGIC = b"\x93NUMPY"


class NpyFile(Lazy):
    """The array in a `.npy` file; it stays there, and no map of it stays open."""

    def __init__(self, path: Path, what: str = "data file") -> None:
        """Read the header; messages call the file `what`.

        Raises:
            DataError: the file cannot be read, or not without unpickling.
        """
        if not begin(path, what).startswith(MAGIC):
            raise DataError(f"the {what} {path} is no .npy file; write one with numpy.save")
        self.path = path
        array = self._map()
        super().__init__(array.shape, array.dtype)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return a copy of those rows; their pages are given back when it is made."""
        return np.array(self._map()[rows])

    def whole(self, budget: Budget) -> np.ndarray:
        """Return a copy of everything.

        Raises:
            DataError: it is larger than the budget.
        """
        mapped = self._map()
        budget.require(mapped.nbytes, str(self.path))
        return np.array(mapped)

    def _map(self) -> np.ndarray:
        try:
            mapped: np.ndarray = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except UNREADABLE as error:
            if "Python objects" in str(error) or "pickle" in str(error):
                raise DataError(
                    f"{self.path} holds Python objects, which are never unpickled; "
                    "save plain numbers"
                ) from error
            raise damaged(self.path, error) from error
        return mapped


def load_file(path: Path) -> dict[str, Column]:
    """Return the array of a `.npy` file as `x`.

    Raises:
        DataError: it cannot be read.
    """
    return {"x": NpyFile(path)}


def load_folder(path: Path, budget: Budget = UNBOUNDED) -> dict[str, Column]:
    """Return the arrays of the `.npy` files in a folder, by the names of the files.

    Raises:
        DataError: one cannot be read.
    """
    columns: dict[str, Column] = {}
    for file in regular_files(path.glob("*.npy"), "data file"):
        array = NpyFile(file)
        at_once = file.stem in RESERVED or array.ndim == 0
        columns[file.stem] = array.whole(budget) if at_once else array
    if columns:
        _require_read(path, columns)
    return columns


def _require_read(path: Path, columns: dict[str, Column]) -> None:
    """Check that no labels, `id` or `split` lie beside the arrays in a file that is not read."""
    for file in sorted(path.iterdir()):
        if file.stem in RESERVED - columns.keys() and file.is_file():
            raise DataError(f"{file} is not read beside .npy files; save it as {file.stem}.npy")


def load_labels(path: str | Path, budget: Budget = UNBOUNDED) -> np.ndarray:
    """Return the labels in a `.npy` file.

    Raises:
        DataError: it cannot be read, or holds no labels.
    """
    array = NpyFile(Path(path), "file of labels")
    if array.ndim == 0:
        raise DataError(f"{path} holds a single number; labels need one for each sample")
    return array.whole(budget)
