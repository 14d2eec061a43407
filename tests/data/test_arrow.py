"""Parquet, Feather and Arrow files: columns of all kinds, group by group."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest

from onnxmem.data import arrow, load, make_samples
from onnxmem.errors import DataError

pa = pytest.importorskip("pyarrow")
from pyarrow import feather, ipc, parquet  # noqa: E402

X = np.arange(24, dtype=np.float32).reshape(8, 3)
Y = np.arange(8) % 2


@dataclass(frozen=True)
class Spec:
    name: str = "image"
    dtype: str | None = "float32"
    shape: tuple[Any, ...] | None = (None, 3)


def stream(table: Any, path: str) -> None:
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


WRITERS: dict[str, Callable[[Any, str], None]] = {
    "t.parquet": lambda table, path: parquet.write_table(table, path, row_group_size=3),
    "t.feather": lambda table, path: feather.write_feather(table, path, chunksize=3),
    "t.arrow": stream,
}


@pytest.mark.parametrize("name", WRITERS)
def test_same_samples_as_from_arrays(tmp_path: Path, name: str) -> None:
    table = pa.table({"x": pa.FixedSizeListArray.from_arrays(X.ravel(), 3), "y": Y})
    WRITERS[name](table, str(tmp_path / name))
    samples = make_samples(load(tmp_path / name), [Spec()])
    expected = make_samples({"x": X, "y": Y}, [Spec()])
    assert samples.sha256 == expected.sha256
    some = np.array([7, 0, 4, 3, 0])
    np.testing.assert_array_equal(samples.inputs["image"][some], X[some])


def written(tmp_path: Path, **columns: Any) -> Path:
    """Write a Parquet file of several groups."""
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=3)
    return tmp_path / "t.parquet"


def test_nested_lists_and_tensors_are_arrays(tmp_path: Path) -> None:
    images = np.arange(8 * 12, dtype=np.float32).reshape(8, 1, 3, 4)
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(images)
    path = written(tmp_path, lists=images.tolist(), tensors=tensors, y=Y)
    columns = load(path)
    for name in ("lists", "tensors"):
        assert columns[name].shape == (8, 1, 3, 4)
        np.testing.assert_array_equal(columns[name][:], images)


def test_numeric_columns_side_by_side_stand_for_x(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        a=X[:, 0],
        id=Y,
        b=X[:, 1].astype(np.float64),
        name=list("abcdefgh"),
        c=X[:, 2].astype(np.int32),
        y=Y,
        split=["train", "test"] * 4,
    )
    samples = make_samples(load(path), [Spec()])
    np.testing.assert_array_equal(samples.inputs["image"][:], X[::2])
    assert samples.notes[0] == "x are the columns a, b, c; left out: name"


def test_dates_beside_numeric_columns_are_said_to_be_left_out(tmp_path: Path) -> None:
    days = pa.array(range(8), pa.date32())
    path = written(tmp_path, a=X[:, 0], b=X[:, 1], day=days, c=X[:, 2], label=Y)
    (note,) = make_samples(load(path), [Spec(shape=(None, 4))]).notes
    assert note.startswith("x are the columns a, b, c, label; left out: day; nothing is called")


def test_label_column_is_no_feature(tmp_path: Path) -> None:
    path = written(tmp_path, a=X[:, 0], b=X[:, 1], c=X[:, 2], target=Y)
    samples = make_samples(load(path, label_column="target"), [Spec()])
    np.testing.assert_array_equal(samples.labels, Y)
    with pytest.raises(DataError, match=r"x are the columns a, b, c, target"):
        make_samples(load(path), [Spec()])


def test_column_that_may_hold_labels_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, x=X.tolist(), label=Y)
    assert "--label-column label" in make_samples(load(path), [Spec()]).notes[0]


def test_categories_are_labels_and_text_is_an_input(tmp_path: Path) -> None:
    words = ["dog", "cat"] * 4
    path = written(tmp_path, x=X.tolist(), y=pa.array(words).dictionary_encode(), word=words)
    samples = make_samples(load(path), [Spec()])
    assert samples.names == ("cat", "dog")
    assert samples.labels is not None and samples.labels.tolist() == [1, 0] * 4
    text = make_samples(load(path), [Spec("word", "str", (None,))])
    assert text.inputs["word"][np.array([1])].tolist() == ["cat"]


@pytest.mark.parametrize(
    ("column", "match"),
    [
        ([[1.0, 2.0, 3.0]] * 7 + [None], "'x' .* nulls"),
        ([[1.0, 2.0, 3.0]] * 7 + [[1.0, None, 3.0]], "'x' .* nulls"),
        ([[1.0, 2.0, 3.0]] * 7 + [[1.0, 2.0]], "'x' .* different lengths"),
        ([[1.0, 2.0, 3.0]] * 6 + [[1.0, 2.0]] * 2, "'x' .* different lengths"),
    ],
)
def test_nulls_and_ragged_lists_are_refused(tmp_path: Path, column: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        make_samples(load(written(tmp_path, x=column, y=Y)), [Spec()])


def test_nulls_elsewhere_do_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path, x=X.tolist(), y=Y, comment=[None] * 4 + ["x"] * 4)
    assert len(make_samples(load(path), [Spec()])) == 8


def test_folder_of_files_is_one_table(tmp_path: Path) -> None:
    for number in range(2):
        rows = slice(4 * number, 4 * number + 4)
        table = pa.table({"x": X[rows].tolist(), "y": Y[rows]})
        parquet.write_table(table, tmp_path / f"train-{number}.parquet")
    np.testing.assert_array_equal(make_samples(load(tmp_path), [Spec()]).inputs["image"][:], X)
    parquet.write_table(pa.table({"z": [1]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="other columns"):
        load(tmp_path)


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_files_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](pa.table({"x": X.tolist(), "y": Y}), str(path))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=name):
        make_samples(load(path), [Spec()])
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=name):
        load(path)


def test_empty_table_has_no_samples(tmp_path: Path) -> None:
    path = written(tmp_path, x=pa.array([], pa.list_(pa.float32(), 3)), y=pa.array([], pa.int64()))
    with pytest.raises(DataError):
        make_samples(load(path), [Spec()])


@pytest.mark.parametrize("name", WRITERS)
def test_threads_read_one_after_the_other_and_get_their_own_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    table = pa.table({"x": X[:, 0], "z": X[:, 1]})
    WRITERS[name](table, str(tmp_path / name))
    columns = load(tmp_path / name)
    values, reading = arrow._Table.values, Lock()

    def alone(*given: Any) -> np.ndarray:
        assert reading.acquire(blocking=False)
        time.sleep(0.001)
        found = values(*given)
        reading.release()
        return found

    monkeypatch.setattr(arrow._Table, "values", alone)
    jobs = [(key, start) for start in range(6) for key in ("x", "z")] * 4
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda job: columns[job[0]][job[1] : job[1] + 3], jobs))
    for (key, start), rows in zip(jobs, found, strict=True):
        np.testing.assert_array_equal(rows, X[start : start + 3, "xz".index(key)])


def as_decimal(values: Any) -> Any:
    return pa.array([Decimal(int(value)) for value in values], pa.decimal128(3, 0))


def as_bytes(values: Any) -> Any:
    return pa.array([str(value).encode() for value in values], pa.binary())


PLAIN = {
    "decimal": as_decimal,
    "binary": as_bytes,
    "fixed_size_binary": lambda values: as_bytes(values).cast(pa.binary(1)),
    "dictionary of binary": lambda values: as_bytes(values).dictionary_encode(),
}


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("name", ["y", "label"])
def test_labels_in_a_plain_column_of_another_type_are_read(
    tmp_path: Path, kind: str, name: str
) -> None:
    path = written(tmp_path, x=X.tolist(), **{name: PLAIN[kind](Y)})
    samples = make_samples(load(path, label_column=name), [Spec()])
    np.testing.assert_array_equal(samples.labels, Y)


@pytest.mark.parametrize("name", ["split", "id"])
@pytest.mark.parametrize("kind", ["binary", "dictionary of binary"])
def test_names_stored_as_binary_are_their_text(tmp_path: Path, kind: str, name: str) -> None:
    names = ["train", "heldout"] * 4
    path = written(tmp_path, x=X.tolist(), **{name: PLAIN[kind](names)})
    assert load(path)[name].tolist() == names


@pytest.mark.parametrize("name", ["y", "id", "split"])
def test_text_that_is_no_utf8_is_refused(tmp_path: Path, name: str) -> None:
    stored = pa.array([b"\xfcber"] * 8, pa.binary()).buffers()
    columns = {"y": Y, name: pa.Array.from_buffers(pa.utf8(), 8, stored)}
    with pytest.raises(DataError, match=f"'{name}' .* no UTF-8"):
        load(written(tmp_path, x=X.tolist(), **columns))


def test_samples_may_be_called_by_their_date(tmp_path: Path) -> None:
    days = [date(2026, 1, 1 + day) for day in range(8)]
    assert load(written(tmp_path, x=X.tolist(), id=pa.array(days)))["id"][1] == "2026-01-02"


UNREAD = {
    "date32": pa.array([date(2026, 1, 1)] * 8),
    "null": pa.nulls(8),
    "struct": pa.array([{"a": 1}] * 8),
    "binary": pa.array([b"\xff"] * 8),
    "decimal": pa.array([Decimal("0.5")] * 8),
}


@pytest.mark.parametrize("kind", UNREAD)
@pytest.mark.parametrize("name", ["y", "label"])
def test_labels_that_cannot_be_read_are_an_error_that_names_column_and_type(
    tmp_path: Path, kind: str, name: str
) -> None:
    path = written(tmp_path, x=X.tolist(), **{name: UNREAD[kind]})
    with pytest.raises(DataError, match=f"column '{name}' of .* is {kind}"):
        load(path, label_column=name)


@pytest.mark.parametrize("name", ["id", "split"])
def test_names_that_cannot_be_read_are_an_error(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, x=X.tolist(), **{name: UNREAD["struct"]})
    with pytest.raises(DataError, match=f"column '{name}' of .* is struct"):
        load(path)


def test_columns_of_an_unread_type_are_named_with_it(tmp_path: Path) -> None:
    images = pa.array([{"bytes": b"1", "path": None}] * 8)
    columns = load(written(tmp_path, image=images, y=Y))
    with pytest.raises(DataError, match=r"column 'image' of .* is struct<bytes: binary"):
        make_samples(columns, [Spec()])
    with pytest.raises(DataError, match=r"they hold 'image', 'y'; column 'image' of .* is struct"):
        make_samples(columns, [Spec("x")])


def test_list_views_are_lists(tmp_path: Path) -> None:
    views = pa.array(X.tolist(), pa.list_view(pa.float32()))
    table = pa.table({"x": views, "y": Y})
    with ipc.new_file(str(tmp_path / "t.arrow"), table.schema) as writer:
        writer.write_table(table)
    np.testing.assert_array_equal(load(tmp_path / "t.arrow")["x"][:], X)
