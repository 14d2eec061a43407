"""Reads Parquet, Feather and Arrow files, one group of rows at a time.

A table is a sequence of groups (row groups of Parquet, record batches of Arrow); a column knows in
which group each row lies, and reads the groups of those that it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from onnxmem.data.arrow_groups import ARROW, FEATHER_1, PARQUET, Group, open_groups, readable
from onnxmem.data.budget import UNBOUNDED, Budget
from onnxmem.data.columns import CLASS_NAMES, RESERVED, Column, Lazy, Unread, misnamed_labels
from onnxmem.data.extras import need
from onnxmem.data.files import begin
from onnxmem.errors import DataError, OutOfMemoryError
from onnxmem.text import listed

ENDINGS = (".parquet", ".arrow", ".feather")
MAGICS = (PARQUET, ARROW, FEATHER_1)

_WIDEST = 8
"""Bytes of a number whose type is not looked at."""


def load_table(
    paths: Sequence[Path], label_column: str, budget: Budget = UNBOUNDED
) -> dict[str, Column]:
    """Return the columns of files of one schema, one after another.

    Where there is no column `x`, it stands for all columns of single numbers, side by side in
    their order, apart from the labels, `id` and `split`.

    Raises:
        DataError: a file cannot be read, or its labels, `id` or `split` are of a type that cannot.
        OutOfMemoryError: a group of rows is larger than the budget.
        UsageError: pyarrow is missing.
    """
    table = _Table(paths, budget)
    note = "" if label_column in table.names else misnamed_labels(table.names)
    columns: dict[str, Column] = {}
    features, others = [], []
    for name in table.names:
        if name in RESERVED or name == label_column:
            columns[name] = table.alone(name, numbers=name not in ("id", "split", CLASS_NAMES))
            continue
        columns[name] = column = _column(table, name, note)
        if isinstance(column, ArrowColumn) and column.ndim == 1 and column.dtype.kind in "fiub":
            features.append(column)
        else:
            others.append(name)
    if features and "x" not in columns:
        columns["x"] = Features(features, others, note)
    return columns


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
            with readable(path):
                schema, groups = open_groups(path, magic)
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
        """Return a column of a group, (rows, ...), whose numbers take `width` bytes each."""
        return _values(self._stored(group, name, width), self.where(name))

    def alone(self, name: str, *, numbers: bool) -> np.ndarray:
        """Return the whole of a column that holds one value for each sample.

        Beside what a network takes, binary that is text in UTF-8 and decimals without a fraction
        are read; where no `numbers` are wanted, whatever has a text.

        Raises:
            DataError: it is of another type, or holds nulls or bytes that are no text.
        """
        parts = [np.empty(0, np.int64)] if not len(self) else []
        for group, rows in enumerate(np.diff(self.edges)):
            if rows:
                array = _plain(
                    self._stored(group, name, _WIDEST), self.where(name), numbers=numbers
                )
                parts.append(_values(array, self.where(name)))
        return np.concatenate(parts)

    def where(self, name: str) -> str:
        """Return what messages call a column."""
        return f"column {name!r} of {self.path}"

    def _stored(self, group: int, name: str, width: int) -> Any:
        """Return a column of a group as pyarrow holds it.

        Raises:
            DataError: it cannot be read.
            OutOfMemoryError: it is larger than the budget.
        """
        where = f"a group of rows of {self.where(name)}"
        self.budget.require(self._groups[group].size(name, width), where)
        try:
            with readable(self.path):
                return self._groups[group].read(name)
        except MemoryError as error:
            raise OutOfMemoryError(f"{where} does not fit into memory") from error


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


def _column(table: _Table, name: str, note: str) -> ArrowColumn | Unread:
    """Return a column, which is `Unread` where it holds nothing that a network takes."""
    pa = need("pyarrow", "arrow")
    kind = table.schema.field(name).type
    element = _element(kind)
    if _is_text(element):
        dtype = np.dtype(object)
    elif _is_number(element):
        dtype = pa.array([], element).to_numpy(zero_copy_only=False).dtype
    else:
        return Unread(len(table), f"{table.where(name)} is {kind}, which no input takes")
    inner = _inner_shape(kind)
    if inner is None:
        first = next((group for group, rows in enumerate(np.diff(table.edges)) if rows), None)
        inner = () if first is None else table.values(first, name, dtype.itemsize).shape[1:]
    return ArrowColumn(table, name, inner, dtype, note)


def _element(kind: Any) -> Any:
    """Return the type of what lists, dictionaries and extensions hold in the end."""
    while True:
        if need("pyarrow", "arrow").types.is_dictionary(kind) or _is_list(kind):
            kind = kind.value_type
        elif hasattr(kind, "storage_type"):
            kind = kind.storage_type
        else:
            return kind


def _plain(array: Any, where: str, *, numbers: bool) -> Any:
    """Return an array as one of numbers or text; see `_Table.alone`."""
    pa = need("pyarrow", "arrow")
    types, kind = pa.types, _element(array.type)
    if (
        _is_text(kind)
        or types.is_boolean(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
    ):
        return array
    if _is_binary(kind):
        target, what = pa.string(), "bytes that are no text in UTF-8"
    elif types.is_decimal(kind):
        target, what = pa.int64() if numbers else pa.string(), "decimals that are no integers"
    elif not numbers and not types.is_null(kind) and not types.is_nested(array.type):
        target, what = pa.string(), f"{array.type}, which has no text"
    else:
        wanted = "integers or text" if numbers else "text"
        raise DataError(f"{where} is {array.type}; write {wanted}")
    if types.is_dictionary(array.type):
        array = array.cast(kind)
    try:
        return array.cast(target)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{where} is {array.type} and holds {what}; write text") from error


def _is_binary(kind: Any) -> bool:
    types = need("pyarrow", "arrow").types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


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
    listed_by_length = types.is_list(kind) or types.is_large_list(kind) or _is_view(kind)
    return bool(listed_by_length or types.is_fixed_size_list(kind))


def _is_view(kind: Any) -> bool:
    types = need("pyarrow", "arrow").types
    return bool(types.is_list_view(kind) or types.is_large_list_view(kind))


def _is_number(kind: Any) -> bool:
    types = need("pyarrow", "arrow").types
    return bool(types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind))


def _is_text(kind: Any) -> bool:
    types = need("pyarrow", "arrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _values(array: Any, where: str) -> np.ndarray:
    """Return an array of pyarrow as one of NumPy; lists of one length become axes.

    Raises:
        DataError: there are nulls, text that is no UTF-8, or lists of different lengths.
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
        try:
            return np.array(array.to_pylist(), object)
        except UnicodeDecodeError as error:
            raise DataError(f"{where} is text that is no UTF-8: {error}") from error
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _nested(array: Any, where: str) -> np.ndarray:
    inner = _values(array.flatten(), where)
    length, surplus = divmod(len(inner), len(array)) if len(array) else (0, 0)
    lengths = _lengths(array)
    if len(lengths):
        surplus = int((lengths != lengths[0]).any())
    if surplus:
        raise DataError(f"{where} holds lists of different lengths; pad or cut them to one")
    return inner.reshape(len(array), length, *inner.shape[1:])


def _lengths(array: Any) -> np.ndarray:
    """Return the length of each list; nothing where their type says that they are of one."""
    if _is_view(array.type):
        return np.asarray(array.sizes)
    if not hasattr(array, "value_lengths"):
        return np.empty(0)
    return np.asarray(array.value_lengths().to_numpy(zero_copy_only=False))
