"""The JSON Schemas of what is written, made from the records.

The package ships `python -m onnxmem.report.schema` as `schema.json`, and the same with another
KIND, such as `samples`, as `KIND.schema.json`.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

import msgspec

from onnxmem.records import (
    COMPARISON_SCHEMA,
    LOCATE_SCHEMA,
    SAMPLES_SCHEMA,
    SCHEMA,
    SURVEY_SCHEMA,
    TRACK_SCHEMA,
    Comparison,
    LocateReport,
    Report,
    SamplesReport,
    SurveyReport,
    TrackReport,
)

Record = Report | Comparison | SamplesReport | LocateReport | TrackReport | SurveyReport

RECORDS: dict[str, type[Record]] = {
    "report": Report,
    "comparison": Comparison,
    "samples": SamplesReport,
    "locate": LocateReport,
    "track": TrackReport,
    "survey": SurveyReport,
}
_NAMES = {
    "Report": SCHEMA,
    "Comparison": COMPARISON_SCHEMA,
    "SamplesReport": SAMPLES_SCHEMA,
    "LocateReport": LOCATE_SCHEMA,
    "TrackReport": TRACK_SCHEMA,
    "SurveyReport": SURVEY_SCHEMA,
}


def schema(kind: str = "report") -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that what this version writes of a kind meets.

    Args:
        kind: one of `RECORDS`.
    """
    record = RECORDS[kind]
    made = msgspec.json.schema(record)
    for title, definition in made["$defs"].items():
        definition["description"] = inspect.cleandoc(definition["description"])
        if title in _NAMES:
            definition["properties"]["schema"] = {"const": _NAMES[title]}
    name = _NAMES[record.__name__]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{name.replace('.', ':').replace('/', ':')}",
        "title": name,
        **made,
    }


def schema_text(kind: str = "report") -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema(kind), indent=1) + "\n"


if __name__ == "__main__":
    print(schema_text(*sys.argv[1:]), end="")
