"""Reads Parquet, Feather and Arrow files, one group of rows at a time.

A table is a sequence of groups (row groups of Parquet, record batches of Arrow); a column knows in
which group each row lies, and reads the groups of those that it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from onnxmem.data.budget import UNBOUNDED, Budget
from onnxmem.data.columns import RESERVED, Column, Lazy, misnamed_labels
from onnxmem.data.extras import need
from onnxmem.data.files import begin, damaged
from onnxmem.errors import DataError, OutOfMemoryError
from onnxmem.text import listed

ENDINGS = (".parquet", ".arrow", ".feather")
PARQUET, ARROW, FEATHER_1 = b"PAR1", b"ARROW1", b"FEA1"
MAGICS = (PARQUET, ARROW, FEATHER_1)


def load_table(
    paths: Sequence[Path], label_column: str, budget: Budget = UNBOUNDED
) -> dict[str, Column]:
    """Return the columns of files of one schema, one after another.

    Where there is no column `x`, it stands for all columns of single numbers, side by side in
    their order, apart from the labels, `id` and `split`.

    Raises:
        DataError: a file cannot be read.
        OutOfMemoryError: a group of rows is larger than the budget.
        UsageError: pyarrow is missing.
    """
    table = _Table(paths, budget)
    note = "" if label_column in table.names else misnamed_labels(table.names)
    columns: dict[str, Column] = {}
    features, others = [], []
    for name in table.names:
        column = _column(table, name, note)
        alone = name in RESERVED or name == label_column
        if column is not None:
            columns[name] = _all_of(column, budget) if alone else column
        if alone:
            continue
        if column is not None and column.ndim == 1 and column.dtype.kind in "fiub":
            features.append(column)
        else:
            others.append(name)
    if features and "x" not in columns:
        columns["x"] = Features(features, others, note)
    return columns


def _all_of(column: ArrowColumn, budget: Budget) -> np.ndarray:
    """Return all rows of a column, if the budget allows it."""
    size = column.dtype.itemsize * math.prod(column.shape)
    budget.require(size, f"column {column.name!r}")
    return column[:]


class _Table:
    """Files of one schema, as groups of rows; `edges` are the numbers of their first rows.

    One thread at a time may read, since pyarrow's readers of Parquet take no more.
    """

    def __init__(self, paths: Sequence[Path], budget: Budget) -> None:
        self.path, self.budget, self.lock = paths[0], budget, Lock()
        self._groups: list[Group] = []
        sizes, schemas = [0], []
        for path in paths:
            magic = begin(path, "data file")
            with _readable(path):
                schema, groups = _open(path, magic)
            schemas.append(schema)
            sizes += [group.rows for group in groups]
            self._groups += groups
            if not schema.equals(schemas[0]):
                raise DataError(f"{path} has other columns than {self.path}; give them one by one")
        self.schema, self.edges = schemas[0], np.cumsum(sizes)
        budget.require(8 * len(self), f"the numbers of the rows of {self.path}")
        self.names = [name for name in self.schema.names if not name.startswith("__index_level_")]
        if len(set(self.names)) < len(self.names):
            raise DataError(f"{self.path} has several columns of one name; rename them")

    def __len__(self) -> int:
        return int(self.edges[-1])

    def values(self, group: int, name: str, width: int) -> np.ndarray:
        """Return a column of a group, (rows, ...), whose numbers take `width` bytes each.

        Raises:
            DataError: it cannot be read.
            OutOfMemoryError: it is larger than the budget.
        """
        where = f"column {name!r} of {self.path}"
        self.budget.require(self._groups[group].size(name, width), f"a group of rows of {where}")
        try:
            with _readable(self.path):
                array = self._groups[group].read(name)
            return _values(array, where)
        except MemoryError as error:
            raise OutOfMemoryError(
                f"a group of rows of {where} does not fit into memory"
            ) from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    pa = need("pyarrow", "arrow")
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(path, error) from error
    except pa.ArrowException as error:
        raise DataError(f"cannot read {path}: {error}; write it with other options") from error


@dataclass(frozen=True, slots=True)
class Group:
    """A group of rows.

    Attributes:
        rows: how many there are.
        read: returns the column of a name as pyarrow holds it.
        size: returns the bytes of the column of a name whose numbers take so many bytes each.
    """

    rows: int
    read: Callable[[str], Any]
    size: Callable[[str, int], int]


def _by_rows(rows: int) -> Callable[[str, int], int]:
    return lambda name, width: rows * width


def _open(path: Path, magic: bytes) -> tuple[Any, list[Group]]:
    """Return the schema of a file that begins with `magic`, and its groups."""
    if magic.startswith(FEATHER_1):
        raise DataError(f"{path} is of version 1 of Feather; write it with pyarrow.feather again")
    if magic.startswith(PARQUET):
        return _open_parquet(path)
    if magic.startswith(ARROW):
        return _open_arrow(path)
    if path.suffix == ".parquet":
        raise DataError(f"{path} is no Parquet file, whatever its name; write it again")
    pa, ipc = need("pyarrow", "arrow"), need("pyarrow.ipc", "arrow")
    reader = ipc.open_stream(pa.memory_map(str(path)))
    batches = [(batch.num_rows, batch.column) for batch in reader]
    return reader.schema, [Group(rows, read, _by_rows(rows)) for rows, read in batches]


def _open_arrow(path: Path) -> tuple[Any, list[Group]]:
    pa, ipc = need("pyarrow", "arrow"), need("pyarrow.ipc", "arrow")
    mapped = ipc.open_file(pa.memory_map(str(path)))
    schema = mapped.schema

    def reader(number: int) -> Callable[[str], Any]:
        def read(name: str) -> Any:
            options = ipc.IpcReadOptions(included_fields=[schema.get_field_index(name)])
            with pa.OSFile(str(path)) as source:
                return ipc.open_file(source, options=options).get_batch(number).column(0)

        return read

    sizes = [mapped.get_batch(number).num_rows for number in range(mapped.num_record_batches)]
    return schema, [Group(rows, reader(at), _by_rows(rows)) for at, rows in enumerate(sizes)]


def _open_parquet(path: Path) -> tuple[Any, list[Group]]:
    file = need("pyarrow.parquet", "arrow").ParquetFile(path)

    def reader(number: int) -> Callable[[str], Any]:
        return lambda name: file.read_row_group(number, columns=[name]).column(name)

    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    return file.schema_arrow, [
        Group(group.num_rows, reader(at), _parquet_size(group)) for at, group in enumerate(groups)
    ]


def _parquet_size(group: Any) -> Callable[[str, int], int]:
    """Return what tells how large a column is, of which a few bytes may stand for many numbers."""

    def size(name: str, width: int) -> int:
        chunks = (group.column(number) for number in range(group.num_columns))
        return sum(
            max(chunk.num_values * width, chunk.total_uncompressed_size)
            for chunk in chunks
            if chunk.path_in_schema.split(".")[0] == name.split(".")[0]
        )

    return size


class ArrowColumn(Lazy):
    """A column of a table; the group that was read last is kept. Threads may share it."""

    def __init__(
        self, table: _Table, name: str, inner: tuple[int, ...], dtype: np.dtype[Any], note: str
    ) -> None:
        super().__init__((len(table), *inner), dtype, note=note)
        self.name, self._table = name, table
        self._kept: tuple[int, np.ndarray] = (-1, np.empty(0))

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Read those rows, group by group."""
        numbers = np.arange(len(self))[rows]
        values = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        groups = np.searchsorted(self._table.edges, numbers, side="right") - 1
        for group in np.unique(groups).tolist():
            wanted = groups == group
            found = self._group(group)
            if found.shape[1:] != self.shape[1:]:
                raise DataError(
                    f"column {self.name!r} of {self._table.path} holds lists of different lengths"
                )
            values[wanted] = found[numbers[wanted] - self._table.edges[group]]
        return values

    def _group(self, number: int) -> np.ndarray:
        with self._table.lock:
            if self._kept[0] != number:
                self._kept = (number, self._table.values(number, self.name, self.dtype.itemsize))
            return self._kept[1]


class Features(Lazy):
    """Columns of single numbers side by side, (samples, features)."""

    def __init__(self, columns: Sequence[ArrowColumn], others: Sequence[str], note: str) -> None:
        stacked = f"x are the columns {listed([column.name for column in columns])}"
        left_out = f"; left out: {listed(others)}" if others else ""
        super().__init__(
            (len(columns[0]), len(columns)),
            np.result_type(*(column.dtype for column in columns)),
            note="; ".join(filter(None, (f"{stacked}{left_out}", note))),
            hint=stacked,
        )
        self._columns = columns

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Read those rows of every column."""
        return np.stack([column[rows] for column in self._columns], axis=1).astype(self.dtype)


def _column(table: _Table, name: str, note: str) -> ArrowColumn | None:
    """Return a column; None where it holds nothing that a network takes."""
    pa = need("pyarrow", "arrow")
    types, kind = pa.types, table.schema.field(name).type
    element = kind
    while types.is_dictionary(element) or _is_list(element) or hasattr(element, "storage_type"):
        if types.is_dictionary(element) or _is_list(element):
            element = element.value_type
        else:
            element = element.storage_type
    if _is_text(element):
        dtype = np.dtype(object)
    elif types.is_boolean(element) or types.is_integer(element) or types.is_floating(element):
        dtype = pa.array([], element).to_numpy(zero_copy_only=False).dtype
    else:
        return None
    inner = _inner_shape(kind)
    if inner is None:
        first = next((group for group, rows in enumerate(np.diff(table.edges)) if rows), None)
        inner = () if first is None else table.values(first, name, dtype.itemsize).shape[1:]
    return ArrowColumn(table, name, inner, dtype, note)


def _inner_shape(kind: Any) -> tuple[int, ...] | None:
    """Return the shape of a value where its type tells; None for lists of any length."""
    pa = need("pyarrow", "arrow")
    if isinstance(kind, pa.FixedShapeTensorType):
        in_order = kind.permutation in (None, list(range(len(kind.shape))))
        return tuple(kind.shape) if in_order else None
    if hasattr(kind, "storage_type"):
        return _inner_shape(kind.storage_type)
    if pa.types.is_fixed_size_list(kind):
        inner = _inner_shape(kind.value_type)
        return None if inner is None else (kind.list_size, *inner)
    return None if _is_list(kind) else ()


def _is_list(kind: Any) -> bool:
    types = need("pyarrow", "arrow").types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_text(kind: Any) -> bool:
    types = need("pyarrow", "arrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _values(array: Any, where: str) -> np.ndarray:
    """Return an array of pyarrow as one of NumPy; lists of one length become axes.

    Raises:
        DataError: there are nulls, or lists of different lengths.
    """
    pa = need("pyarrow", "arrow")
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if array.null_count:
        first = int(np.argmax(array.is_null().to_numpy(zero_copy_only=False)))
        raise DataError(
            f"{where} holds nulls ({array.null_count}), the first at row {first} of its group"
        )
    if isinstance(array, pa.FixedShapeTensorArray):
        return np.asarray(array.to_numpy_ndarray())
    if isinstance(array, pa.ExtensionArray):
        return _values(array.storage, where)
    if pa.types.is_dictionary(array.type):
        return _values(array.dictionary_decode(), where)
    if _is_list(array.type):
        return _nested(array, where)
    if _is_text(array.type):
        return np.array(array.to_pylist(), object)
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _nested(array: Any, where: str) -> np.ndarray:
    inner = _values(array.flatten(), where)
    length, surplus = divmod(len(inner), len(array)) if len(array) else (0, 0)
    if hasattr(array, "value_lengths") and len(array):
        lengths = array.value_lengths().to_numpy(zero_copy_only=False)
        surplus = int((lengths != lengths[0]).any())
    if surplus:
        raise DataError(f"{where} holds lists of different lengths; pad or cut them to one")
    return inner.reshape(len(array), length, *inner.shape[1:])
