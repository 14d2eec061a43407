"""Names of files: harmless, and no two alike."""

from __future__ import annotations

import re

import pytest
from report_samples import HOSTILE_NAMES

from onnxmem.surveying.names import RESERVED, file_names


def names(*paths: str) -> list[str]:
    return file_names([("", path) for path in paths])


def test_folders_tell_equal_files_apart() -> None:
    assert names("x/a.onnx", "x/b.onnx") == ["a", "b"]
    assert names("vit/model.onnx", "bert/model.onnx", "c.onnx") == ["vit-model", "bert-model", "c"]
    assert names("a/x/m.onnx", "b/x/m.onnx") == ["a-x-m", "b-x-m"]


def test_numbers_tell_equal_paths_apart() -> None:
    assert names("m.onnx", "m.onnx", "M.onnx") == ["m", "m-2", "M-3"]
    assert file_names([("m", "a"), ("m", "b"), ("m-2", "c")]) == ["m", "m-2", "m-2-2"]


def test_names_of_the_survey_itself_are_left_alone() -> None:
    found = names("index.onnx", "Survey.onnx", "records.onnx")
    assert not RESERVED & {name.lower() for name in found}


@pytest.mark.parametrize("given", [True, False])
def test_hostile_names_make_files_beside_each_other(given: bool) -> None:
    hostile = [*HOSTILE_NAMES, "../../etc/passwd", "", ".", "..", "-rf", "a" * 5000, "nul\0"]
    found = file_names([(name, "m") if given else ("", name) for name in hostile])
    assert len({name.lower() for name in found}) == len(hostile)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}", name) for name in found), found
