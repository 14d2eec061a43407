"""The JSON report: the records as they are, and the way back from a file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from onnxmem.errors import DataError
from onnxmem.records import SCHEMA, Report
from onnxmem.report.words import printable


def render(report: Report) -> str:
    """Return the report as JSON text, keys in the order of the records.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(msgspec.to_builtins(report), indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def load(path: str | Path) -> Report:
    """Return the report that a JSON file holds.

    Raises:
        DataError: there is no such file, or it holds no report of this schema.
    """
    shown = printable(str(path), 200)
    values = _parse(_read(path, shown), shown)
    found = values.get("schema") if isinstance(values, dict) else None
    if found != SCHEMA:
        kind = f"schema {printable(str(found))!r}" if found else "no schema of a report"
        raise DataError(f"{shown} has {kind}; this version reads {SCHEMA!r}")
    try:
        return Report.from_dict(values)
    except DataError as error:
        raise DataError(f"{shown}: {printable(str(error), 400)}") from error


def _read(path: str | Path, shown: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read the report {shown}: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{shown} is no JSON report: it is not UTF-8 text") from error


def _parse(text: str, shown: str) -> Any:
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        cause = printable(str(error), 200)
        raise DataError(f"{shown} is no JSON report: {cause}") from error


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no finite number")
