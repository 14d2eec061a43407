"""The JSON report goes out whole and comes back equal, or is refused with one line."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
import report_samples

from onnxmem.errors import DataError
from onnxmem.records import Report
from onnxmem.report import load, render, write


def test_a_stored_report_comes_back_equal(any_report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write(render(any_report, "json"), path)
    assert load(path) == any_report


def test_keys_stand_in_the_order_of_the_records() -> None:
    keys = list(json.loads(render(report_samples.passing(), "json")))
    assert keys == [field.name for field in fields(Report)]


def test_the_text_ends_with_one_newline() -> None:
    text = render(report_samples.passing(), "json")
    assert text.endswith("}\n") and not text.endswith("\n\n")


def test_numbers_are_not_rounded() -> None:
    assert "0.9933333333333333" in render(report_samples.passing(), "json")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_never_written(value: float) -> None:
    report = replace(report_samples.passing(), settings={"max_drop": value})
    with pytest.raises(ValueError):  # noqa: PT011 - whose words are those of the standard library
        render(report, "json")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "no JSON report"),
        ("{", "no JSON report"),
        ("[]", "no schema of a report"),
        ("{}", "no schema of a report"),
        ('{"schema": "onnxmem.report/2"}', "onnxmem.report/2"),
        ('{"schema": ["a"]}', "this version reads"),
        ('{"schema": "onnxmem.report/1"}', "tool"),
        ('{"a": NaN}', "NaN is no finite number"),
        ('{"a": 1e999}', "1e999 is no finite number"),
        ("[" * 100_000, "no JSON report"),
    ],
)
def test_what_is_no_report_is_refused_with_one_line(text: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load(path)
    message = str(caught.value)
    assert cause in message and "r.json" in message and "\n" not in message
    assert caught.value.exit_code == 2


def test_a_field_of_the_wrong_type_is_named(stored: Path) -> None:
    values = json.loads(stored.read_text())
    values["layers"][0]["status"] = "perfect"
    stored.write_text(json.dumps(values))
    with pytest.raises(DataError, match="status"):
        load(stored)


def test_fields_of_later_versions_are_let_through(stored: Path) -> None:
    values = json.loads(stored.read_text())
    stored.write_text(json.dumps(values | {"probes": [1]}))
    assert load(stored) == report_samples.partly_skipped()


def test_a_missing_file_is_an_error_of_the_data(tmp_path: Path) -> None:
    missing = os.strerror(errno.ENOENT)
    with pytest.raises(DataError, match=rf"cannot read the report .*nothing\.json: {missing}"):
        load(tmp_path / "nothing.json")


def test_a_binary_file_is_an_error_of_the_data(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x08\x0a\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        load(path)


def test_half_of_a_surrogate_pair_is_no_word(tmp_path: Path) -> None:
    values = json.loads(render(report_samples.passing(), "json"))
    values["layers"][0]["status"] = "\ud800"
    (tmp_path / "r.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match="surrogate"):
        load(tmp_path / "r.json")
