"""The JSON Schemas of reports and comparisons, made from the records.

The package ships `python -m onnxmem.report.schema` as `schema.json`, and
`python -m onnxmem.report.schema comparison` as `comparison.schema.json`.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

import msgspec

from onnxmem.records import COMPARISON_SCHEMA, SCHEMA, Comparison, Report


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every report of this version meets."""
    return _schema(Report, SCHEMA)


def comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every comparison of this version meets."""
    schema = _schema(Comparison, COMPARISON_SCHEMA)
    schema["$defs"]["Report"]["properties"]["schema"] = {"const": SCHEMA}
    return schema


def _schema(record: type[Report] | type[Comparison], name: str) -> dict[str, Any]:
    schema = msgspec.json.schema(record)
    for definition in schema["$defs"].values():
        definition["description"] = inspect.cleandoc(definition["description"])
    schema["$defs"][record.__name__]["properties"]["schema"] = {"const": name}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{name.replace('.', ':').replace('/', ':')}",
        "title": name,
        **schema,
    }


def schema_text(kind: str = "report") -> str:
    """Return a schema as the text of its file; `kind` is report or comparison."""
    schema = comparison_schema() if kind == "comparison" else report_schema()
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    print(schema_text(*sys.argv[1:]), end="")
