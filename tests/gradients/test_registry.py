"""Every rule is held against differences somewhere."""

from __future__ import annotations

from pathlib import Path

from onnxmem.gradients import path, served
from onnxmem.gradients.rules.activations import OF_MICROSOFT, SLOPES

HERE = Path(__file__)


def test_no_rule_is_left_unchecked() -> None:
    tests = [file for file in HERE.parent.glob("test_*.py") if file != HERE]
    text = "".join(file.read_text("utf-8") for file in tests)
    by_table = {*SLOPES, *(f"com.microsoft.{op}" for op in OF_MICROSOFT)}
    named = {name for name in served() if f'"{name.rpartition(".")[2]}"' in text}
    assert by_table | named == {*served()}


def test_what_carries_nothing_has_no_rule() -> None:
    assert not path.CONSTANT & {*served()}
