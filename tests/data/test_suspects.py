"""Which samples somebody holds for noisy, read from files and found among the samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onnxmem.data import Suspects, find_suspects, read_suspects
from onnxmem.errors import DataError

ROWS = np.array([0, 2, 3])
IDS = ["a", "b", "c"]


def test_an_archive_has_a_flag_for_each_row(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", suspect=np.array([True, False, False, True]))
    given = read_suspects(tmp_path / "s.npz")
    assert find_suspects(given, ROWS, 4, IDS).tolist() == [True, False, True]


def test_flags_may_be_those_of_the_split_alone() -> None:
    given = Suspects("s", np.array([False, True, False]))
    assert find_suspects(given, ROWS, 4, IDS).tolist() == [False, True, False]


def test_other_numbers_of_flags_are_refused() -> None:
    with pytest.raises(DataError, match=r"'suspect' of s has 2 entries, the data have 4 rows \(3"):
        find_suspects(Suspects("s", np.array([True, False])), ROWS, 4, IDS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id\na\nc\n", [True, False, True]),
        ("id,suspect\na,false\nb,True\nc,0\n", [False, True, False]),
        ("row,id,memorized\n1,a,1\n2,b,no\n", [True, False, False]),
        ("\ufeffid\r\nb\r\n", [False, True, False]),
    ],
)
def test_a_table_names_them(text: str, found: list[bool], tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(text, "utf-8", newline="")
    assert find_suspects(read_suspects(tmp_path / "s.csv"), ROWS, 4, IDS).tolist() == found


def test_ids_of_other_rows_are_known_and_others_are_not() -> None:
    given = Suspects("s.csv", ids=("a", "test-1"))
    others = {"test-1": None}
    assert find_suspects(given, ROWS, 4, IDS, others).tolist() == [True, False, False]
    with pytest.raises(DataError, match=r"s.csv names 1 ids that no sample has: 'test-1'"):
        find_suspects(given, ROWS, 4, IDS)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("s.npz", {"flags": np.zeros(3, bool)}, "holds no array 'suspect'; it holds 'flags'"),
        ("s.npz", {"suspect": np.array([0.5])}, "holds float64 of shape"),
        ("s.npz", {"suspect": np.zeros((2, 2), bool)}, "give one true or false for each row"),
        ("s.csv", "name\na\n", "has no column 'id'; its columns are 'name'"),
        ("s.csv", "id,suspect\na,perhaps\n", "line 2: suspect is 'perhaps'"),
    ],
)
def test_what_is_no_list_of_suspects_is_refused(
    name: str, write: str | dict[str, np.ndarray], message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if isinstance(write, str):
        path.write_text(write, "utf-8")
    else:
        np.savez(path, **write)
    with pytest.raises(DataError, match=message):
        read_suspects(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        read_suspects(tmp_path / "nowhere.csv")
