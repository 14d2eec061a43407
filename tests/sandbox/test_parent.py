"""The end of a process in words, and a new interpreter in a room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onnxmem.sandbox import Room
from onnxmem.sandbox.parent import Ended, ending, reason, spawn, tail, wait


@pytest.mark.parametrize(
    ("ended", "said", "words"),
    [
        (Ended(-11), "", "its process died of SIGSEGV"),
        (Ended(-6), "std::bad_alloc", "out of memory; use a smaller --per-class"),
        (Ended(-9), "", "most likely because the system ran out of memory"),
        (Ended(-9, "it took longer"), "bad_alloc", "it took longer"),
        (Ended(-99), "", "signal 99"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_words(ended: Ended, said: str, words: str) -> None:
    assert words in reason(ended, said)


def test_the_end_of_a_long_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "said").write_bytes(b"\xff" * 10**5 + b"end")
    assert tail(tmp_path / "said").endswith("end") and len(tail(tmp_path / "said")) < 10**4
    assert tail(tmp_path / "none") == ""


def test_a_new_interpreter_enters_a_room_and_is_another_module(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(
        "import sys, onnxmem.sandbox as s; print(sys.argv, s.told())"
    )
    child = spawn(
        tmp_path / "orders.json",
        Room(reads=(str(tmp_path),), data=2**33),
        "other",
        ["one", "two"],
        environment={"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    with ending(child):
        assert child.stdout is not None
        said = child.stdout.read().decode()
        child.stdout.close()
        assert wait(child, 100).code == 0
    assert "'one', 'two'] {'limits': ['core', 'data']" in said or os.name == "nt"


def test_one_that_nobody_waits_for_any_more_is_left() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    with ending(child):
        assert wait(child, None, lambda: True).stopped
