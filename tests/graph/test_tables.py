"""Inputs that are looked up in a table, however the indices come there."""

from __future__ import annotations

from pathlib import Path

import pytest
from text_networks import write

from onnxmem import graph

HEAD = "(int64[N,6] ids, float[N,8] x) => (float[N,8] y)"


@pytest.mark.parametrize(
    "lookup",
    [
        "e = Gather(table, ids)",
        "a = Cast<to = 6>(ids)  b = Identity(a)  e = Gather<axis = 0>(table, b)",
        "z = Cast<to = 1>(ids)  a = Cast<to = 7>(z)  e = Gather(table, a)",
    ],
)
def test_words_are_told_by_the_table_they_are_looked_up_in(tmp_path: Path, lookup: str) -> None:
    text = f"{HEAD} {{ {lookup}  s = ReduceMean<axes = [1], keepdims = 0>(e)  y = Add(s, x) }}"
    assert graph.looked_up(graph.load(write(tmp_path / "n.onnx", text, table=(50, 8)))) == {
        "ids": 50
    }


def test_other_whole_numbers_are_no_words(tmp_path: Path) -> None:
    text = f"""{HEAD} {{
        f = Cast<to = 1>(ids)  m = MatMul(f, w)  t = Gather(x, first)  y = Add(m, x)
    }}"""
    path = write(tmp_path / "n.onnx", text.replace("t = Gather(x, first)", ""), w=(6, 8))
    assert graph.looked_up(graph.load(path)) == {}


def test_the_largest_of_several_tables_counts(tmp_path: Path) -> None:
    text = f"""{HEAD} {{
        a = Gather(small, ids)  b = Gather(large, ids)  c = Add(a, b)
        s = ReduceMean<axes = [1], keepdims = 0>(c)  y = Add(s, x)
    }}"""
    path = write(tmp_path / "n.onnx", text, small=(20, 8), large=(70, 8))
    assert graph.looked_up(graph.load(path)) == {"ids": 70}
