"""The JSON Schema that ships is that of the records, and every report meets it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import report_samples

from onnxmem.records import Report
from onnxmem.report import render
from onnxmem.report.schema import report_schema, schema_text


@pytest.fixture(scope="module")
def shipped() -> Any:
    return json.loads((files("onnxmem.report") / "schema.json").read_text(encoding="utf-8"))


def test_the_shipped_schema_is_that_of_the_records() -> None:
    text = (files("onnxmem.report") / "schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "run: python -m onnxmem.report.schema > schema.json"


def test_the_schema_is_valid_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_every_report_meets_the_schema(shipped: Any, any_report: Report) -> None:
    jsonschema.Draft202012Validator(shipped).validate(json.loads(render(any_report, "json")))


@pytest.mark.parametrize("key", ["schema", "layers", "verdict", "model"])
def test_a_report_without_a_field_does_not_meet_it(shipped: Any, key: str) -> None:
    values = json.loads(render(report_samples.passing(), "json"))
    del values[key]
    assert not jsonschema.Draft202012Validator(shipped).is_valid(values)


def test_another_schema_does_not_meet_it(shipped: Any) -> None:
    values = json.loads(render(report_samples.passing(), "json")) | {"schema": "other/1"}
    assert not jsonschema.Draft202012Validator(shipped).is_valid(values)
