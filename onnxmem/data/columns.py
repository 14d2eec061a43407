"""Columns: arrays with one row for each sample, in memory or read row by row from where they are.

What lies in files is `Lazy`: it knows its shape and type, and makes the rows that it is asked for.
So data may be far larger than memory, as long as the samples of an audit fit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from onnxmem.errors import DataError
from onnxmem.text import listed

BLOCK_BYTES = 1 << 24
"""Bytes of one column that are read at a time where all its rows are looked at."""


CLASS_NAMES = "class_names"
"""The column that names the classes 0, 1, ... (classes,); classes without a name have ""."""

RESERVED = frozenset({"y", "y_true", "id", "split", CLASS_NAMES})
"""Columns of one value for each sample, or class, which are read at once and are no inputs."""

_LIKELY_LABELS = ("label", "labels", "target", "targets", "class")
"""Names that labels often have where they are not called `y`."""


def misnamed_labels(names: Iterable[str]) -> str:
    """Return a note for data without `y`, where one of their names looks like that of labels."""
    likely = next((name for name in names if name.lower() in _LIKELY_LABELS), None)
    if likely is None:
        return ""
    return f"nothing is called 'y'; if the labels are in {likely!r}, say --label-column {likely}"


def describe(columns: Mapping[str, Column]) -> str:
    """Return which columns there are, and which of them look like labels, in words."""
    known = [f"{name!r} ({_form(column)})" for name, column in sorted(columns.items())]
    held = f"the data hold {listed(known, most=20) or 'nothing'}"
    return "; ".join(filter(None, (held, misnamed_labels(columns))))


def _form(column: Column) -> str:
    return f"{'text' if column.dtype.kind in 'OSU' else column.dtype.name} {list(column.shape)}"


class InputSpec(Protocol):
    """Name, NumPy dtype name and shape of an input; sizes that are no int are free."""

    @property
    def name(self) -> str:
        """Name of the input."""
        ...

    @property
    def dtype(self) -> str | None:
        """NumPy's name of the element type; None where it is not known."""
        ...

    @property
    def shape(self) -> tuple[int | str | None, ...] | None:
        """Sizes; None where even the number of axes is not known."""
        ...


class Lazy(ABC):
    """A column whose rows are made when they are asked for, by several threads at once.

    Attributes:
        shape: (samples, ...).
        dtype: of the rows.
        note: what was assumed about the data, for the report; empty where nothing was.
        recipe: what else than its contents decides the values, for the data's identity.
        hint: what an error about the shape adds.
        library: the distribution whose version may decide the values; empty where none may.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        note: str = "",
        recipe: str = "",
        hint: str = "",
        library: str = "",
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self.note, self.recipe, self.hint, self.library = note, recipe, hint, library

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return those rows as an array in memory.

        Raises:
            DataError: they cannot be read.
        """

    def fingerprints(self, rows: slice | np.ndarray) -> Iterator[bytes] | None:
        """Return what identifies each of those samples; None where their values do."""
        del rows
        return None

    def fit(self, spec: InputSpec) -> Lazy:
        """Return the column in the form that an input takes, where it may have several.

        Raises:
            DataError: it has none that fits.
        """
        del spec
        return self


class Unread(Lazy):
    """A column that is there and of a kind that no network takes; whoever asks for it is told."""

    def __init__(self, count: int, why: str) -> None:
        super().__init__((count,), np.dtype(object), hint=why)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Refuse, with the reason."""
        raise DataError(self.hint)

    def fit(self, spec: InputSpec) -> Lazy:
        """Refuse, with the reason."""
        raise DataError(self.hint)


Column = np.ndarray | Lazy


def whole(column: Column) -> np.ndarray:
    """Return all rows of a column in memory."""
    return column[:] if isinstance(column, Lazy) else column


class View(Lazy):
    """Some rows of a lazy column, converted to the type of an input."""

    def __init__(self, source: Lazy, rows: np.ndarray, spec: InputSpec) -> None:
        super().__init__((len(rows), *source.shape[1:]), target_dtype(source.dtype, spec))
        self._source, self._rows, self._name = source, rows, spec.name

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return those rows, converted."""
        return convert(self._source[self._rows[rows]], self.dtype, self._name)

    def fingerprints(self, rows: slice | np.ndarray) -> Iterator[bytes] | None:
        """Return what the source knows its samples by."""
        return self._source.fingerprints(self._rows[rows])


def target_dtype(dtype: np.dtype[Any], spec: InputSpec) -> np.dtype[Any]:
    """Return the type that values of type `dtype` are converted to for an input.

    Floats and integers become any float, integers any integer type that holds their values.

    Raises:
        DataError: the input takes something else.
    """
    if spec.dtype is None or dtype.name == spec.dtype:
        return dtype.newbyteorder("=")
    if spec.dtype == "str" and dtype.kind in "UO":
        return np.dtype(object)
    try:
        wanted = np.dtype(spec.dtype)
    except TypeError as error:
        raise DataError(
            f"input {spec.name!r} takes {spec.dtype}, which no array can hold"
        ) from error
    both_real = dtype.kind in "fiub" and wanted.kind == "f"
    if not both_real and not (dtype.kind in "iu" and wanted.kind in "iu"):
        raise DataError(f"input {spec.name!r} takes {wanted.name}, the data have {dtype.name}")
    return wanted


def convert(array: np.ndarray, wanted: np.dtype[Any], name: str) -> np.ndarray:
    """Return `array` as a contiguous array of type `wanted`.

    Raises:
        DataError: it holds integers that the type does not.
    """
    if array.dtype.kind in "iu" and wanted.kind in "iu" and not fits_type(array, wanted):
        raise DataError(f"input {name!r} takes {wanted.name}, the data have {array.dtype.name}")
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=wanted, order="C")


def fits_type(array: np.ndarray, wanted: np.dtype[Any]) -> bool:
    """Tell whether an integer type holds all values of an array of integers."""
    if not array.size or np.can_cast(array.dtype, wanted):
        return True
    limits = np.iinfo(wanted)
    return bool(array.min() >= limits.min and array.max() <= limits.max)


def blocks(columns: Iterable[Column], count: int) -> Iterator[slice]:
    """Yield all samples in order, as many at a time as `BLOCK_BYTES` of a column hold."""
    step = max(1, BLOCK_BYTES // max(map(_row_bytes, columns)))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _row_bytes(column: Column) -> int:
    return max(1, int(np.prod(column.shape[1:], dtype=np.int64)) * column.dtype.itemsize)
