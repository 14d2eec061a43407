"""The JSON Schema of a report, made from the records: `python -m onnxmem.report.schema`.

The package ships its output as `schema.json`.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec

from onnxmem.records import SCHEMA, Report


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every report of this version meets."""
    schema = msgspec.json.schema(Report)
    for definition in schema["$defs"].values():
        definition["description"] = inspect.cleandoc(definition["description"])
    schema["$defs"]["Report"]["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('.', ':').replace('/', ':')}",
        "title": SCHEMA,
        **schema,
    }


def schema_text() -> str:
    """Return the schema as the text of `schema.json`."""
    return json.dumps(report_schema(), indent=1) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
