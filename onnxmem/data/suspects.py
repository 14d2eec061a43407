"""Which samples somebody holds for noisy: read from a file, and found among the samples."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onnxmem.data import npz
from onnxmem.data.columns import whole
from onnxmem.data.files import begin
from onnxmem.errors import DataError
from onnxmem.text import listed, printable

FLAGS = ("suspect", "memorized")
"""Columns of a table that tell which of its rows are meant; without any, all are."""

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Suspects:
    """What somebody said: a flag for each row of the data, or what suspects are called.

    Attributes:
        source: The file, or what else it is called in messages.
        flags: (rows,) bool, None where ids are given.
        ids: What suspects are called.
    """

    source: str
    flags: np.ndarray | None = None
    ids: tuple[str, ...] = ()


def read_suspects(path: str | Path) -> Suspects:
    """Read a `.npz` archive with a boolean array `suspect`, or a CSV file with a column `id`.

    Where such a table has a column `suspect` or `memorized`, as that of `onnxmem samples` has, only
    the rows that say so there are meant.

    Raises:
        DataError: there is no such file, or it holds neither.
    """
    path = Path(path)
    if begin(path, "file of suspects").startswith(npz.MAGIC):
        columns = npz.load(path)
        if "suspect" not in columns:
            have = listed(list(map(repr, sorted(columns)))) or "nothing"
            raise DataError(f"{path} holds no array 'suspect'; it holds {have}")
        return Suspects(str(path), as_flags(whole(columns["suspect"]), str(path)))
    return Suspects(str(path), ids=tuple(_read_ids(path)))


def as_flags(array: np.ndarray, source: str) -> np.ndarray:
    """Return an array as one flag for each row.

    Raises:
        DataError: it holds something else than true and false.
    """
    plain = array.ndim == 1 and (array.dtype == bool or array.dtype.kind in "iu")
    if not plain or not np.isin(array, (0, 1)).all():
        raise DataError(
            f"'suspect' of {source} holds {array.dtype} of shape {array.shape}; give one true or "
            "false for each row of the data"
        )
    return array.astype(bool)


def _read_ids(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            names = table.fieldnames or []
            if "id" not in names:
                have = listed([printable(repr(name), 40) for name in names]) or "none"
                raise DataError(f"{path} has no column 'id'; its columns are {have}")
            flag = next((name for name in FLAGS if name in names), None)
            for row in table:
                if flag is None or _truth(row[flag], path, flag, table.line_num):
                    yield row["id"] or ""
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV file of suspects: {error}") from error


def _truth(text: str | None, path: Path, column: str, line: int) -> bool:
    word = (text or "").strip().lower()
    if word not in _WORDS:
        shown = printable(repr(text), 40)
        raise DataError(f"{path}, line {line}: {column} is {shown}; write true or false")
    return _WORDS[word]


def find_suspects(
    given: Suspects,
    rows: np.ndarray,
    total: int,
    ids: Sequence[str],
    others: Mapping[str, object] | None = None,
) -> np.ndarray:
    """Return which samples are meant (samples,).

    Args:
        given: what was said.
        rows: (samples,) the rows of the data that the samples are.
        total: how many rows the data have.
        ids: what the samples are called.
        others: what else rows of the data are called that are none of the samples.

    Raises:
        DataError: there are other numbers of rows, or ids that nothing is called.
    """
    if given.flags is not None:
        if len(given.flags) == total:
            return np.asarray(given.flags[rows])
        if len(given.flags) == len(rows):
            return given.flags
        taken = f" ({len(rows)} of them in this split)" if len(rows) != total else ""
        raise DataError(
            f"'suspect' of {given.source} has {len(given.flags)} entries, the data have {total} "
            f"rows{taken}"
        )
    unknown = sorted(set(given.ids) - set(ids) - set(others or {}))
    if unknown:
        shown = listed([printable(repr(name), 40) for name in unknown], most=5)
        raise DataError(f"{given.source} names {len(unknown)} ids that no sample has: {shown}")
    meant = set(given.ids)
    return np.array([name in meant for name in ids], bool)
