"""Opens Parquet, Feather and Arrow files as groups of rows, each read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnxmem.data.extras import need
from onnxmem.data.files import damaged
from onnxmem.errors import DataError

PARQUET, ARROW, FEATHER_1 = b"PAR1", b"ARROW1", b"FEA1"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what pyarrow raises inside into an error that names the file.

    Raises:
        DataError: the file cannot be read.
    """
    pa = need("pyarrow", "arrow")
    try:
        yield
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
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


def open_groups(path: Path, magic: bytes) -> tuple[Any, list[Group]]:
    """Return the schema of a file that begins with `magic`, and its groups.

    Raises:
        DataError: it is of a format that is not read.
    """
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
