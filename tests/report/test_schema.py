"""The JSON Schemas that ship are those of the records, and what is written meets them."""

from __future__ import annotations

import dataclasses
import inspect
import json
from importlib.resources import files
from typing import Any

import json_mutations
import jsonschema
import locate_reports
import msgspec
import pytest
import report_samples
import samples_reports
import survey_reports
import track_reports

from onnxmem import records
from onnxmem.comparing import compare
from onnxmem.records import Report
from onnxmem.report import (
    render,
    render_comparison,
    render_locate,
    render_samples,
    render_survey,
    render_track,
)
from onnxmem.report.schema import RECORDS, schema

FILES = {
    "report": "schema.json",
    "comparison": "comparison.schema.json",
    "samples": "samples.schema.json",
    "locate": "locate.schema.json",
    "track": "track.schema.json",
    "survey": "survey.schema.json",
}
SHIPPED = {
    kind: json.loads((files("onnxmem.report") / name).read_text(encoding="utf-8"))
    for kind, name in FILES.items()
}
HOW = "run python -m onnxmem.report.schema, with the name of each kind, into the files"


def small() -> Report:
    """Return a report with one of everything."""
    whole = report_samples.failing()
    (layer, *_), (gate, *_) = whole.layers, whole.gates
    (curve, *_) = layer.curves
    (group, *_) = curve.groups
    few = slice(1)
    curve = dataclasses.replace(
        curve,
        x=curve.x[few],
        accuracy=curve.accuracy[few],
        error=curve.error[few],
        groups=(dataclasses.replace(group, accuracy=group.accuracy[few]),),
    )
    return dataclasses.replace(
        whole,
        layers=(dataclasses.replace(layer, curves=(curve,)),),
        summary={curve.key: whole.summary[curve.key]},
        gates=(gate,),
    )


def written(kind: str) -> dict[str, Any]:
    """Return what is written of a report of any kind, as JSON holds it."""
    if kind == "comparison":
        text = render_comparison(compare([small(), small()]), "json")
    elif kind == "report":
        text = render(small(), "json")
    elif kind == "track":
        text = str(render_track(track_reports.report(2, 2), "json"))
    elif kind == "survey":
        text = render_survey(survey_reports.report(), "json")
    elif kind == "samples":
        text = str(render_samples(samples_reports.report(3), "json"))
    else:
        text = str(render_locate(locate_reports.whole(), "json"))
    values: dict[str, Any] = json.loads(text)
    return values


def taken(kind: str, values: Any) -> bool:
    """Tell whether the records can hold the values."""
    try:
        msgspec.convert(values, RECORDS[kind])
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", RECORDS)
def test_a_schema_that_is_made_anew_is_one_and_met(kind: str) -> None:
    made = schema(kind)
    jsonschema.Draft202012Validator.check_schema(made)
    jsonschema.Draft202012Validator(made).validate(written(kind))


@pytest.mark.parametrize("kind", RECORDS)
def test_the_shipped_schema_takes_what_the_records_take_and_nothing_else(kind: str) -> None:
    validator = jsonschema.Draft202012Validator(SHIPPED[kind])
    values = written(kind)
    validator.validate(values)
    for change in json_mutations.mutations(values):
        if "schema is" not in change:  # whose value is told by the schema alone
            assert validator.is_valid(values) is taken(kind, values), f"{change}; {HOW}"


@pytest.mark.parametrize("kind", RECORDS)
def test_the_shipped_schema_has_the_fields_of_the_records(kind: str) -> None:
    for title, definition in SHIPPED[kind]["$defs"].items():
        record = getattr(records, title)
        told = msgspec.inspect.type_info(record)
        assert isinstance(told, msgspec.inspect.StructType | msgspec.inspect.DataclassType)
        required = {field.encode_name for field in told.fields if field.required}
        assert list(definition["properties"]) == [field.encode_name for field in told.fields], HOW
        assert set(definition["required"]) == required, HOW
        assert definition["description"] == inspect.getdoc(record), HOW


def test_every_report_meets_the_schema(any_report: Report) -> None:
    validator = jsonschema.Draft202012Validator(SHIPPED["report"])
    validator.validate(json.loads(render(any_report, "json")))


@pytest.mark.parametrize("kind", RECORDS)
def test_another_schema_does_not_meet_it(kind: str) -> None:
    values = written(kind) | {"schema": "other/1"}
    assert not jsonschema.Draft202012Validator(SHIPPED[kind]).is_valid(values)
