"""The JSON report: the records as they are, and the way back from a file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from onnxmem.errors import DataError
from onnxmem.records import (
    COMPARISON_SCHEMA,
    LOCATE_SCHEMA,
    SAMPLES_SCHEMA,
    SCHEMA,
    TRACK_SCHEMA,
    Comparison,
    LocateReport,
    Report,
    SamplesReport,
    TrackReport,
)
from onnxmem.report import sense
from onnxmem.text import json_text, printable

_LONGEST = 1 << 29
"""Characters beyond which no file is read whole."""


def render(report: Report | Comparison | LocateReport | TrackReport) -> str:
    """Return a report, or a comparison with its reports, as JSON text, keys as in the records.

    Raises:
        ValueError: a number is not finite.
    """
    return json_text(msgspec.to_builtins(report))


def load(path: str | Path) -> Report:
    """Return the report that a JSON file holds.

    Raises:
        DataError: there is no such file, or it holds no report of this schema, or one that no audit
            could have written.
    """
    found = _load(path, {SCHEMA: Report})
    assert isinstance(found, Report)
    return found


Stored = Report | Comparison | SamplesReport | LocateReport | TrackReport
"""What a JSON file may hold."""


def render_samples(report: SamplesReport) -> str:
    """Return the samples of a network as JSON text, without their pictures.

    Raises:
        ValueError: a number is not finite.
    """
    values = msgspec.to_builtins(report)
    del values["pictures"]
    return json_text(values)


def load_stored(path: str | Path) -> Stored:
    """Return what a JSON file holds: what one of the commands left there.

    Raises:
        DataError: there is no such file, or it holds none of these schemas.
    """
    return _load(
        path,
        {
            SCHEMA: Report,
            COMPARISON_SCHEMA: Comparison,
            SAMPLES_SCHEMA: SamplesReport,
            LOCATE_SCHEMA: LocateReport,
            TRACK_SCHEMA: TrackReport,
        },
    )


def _load(path: str | Path, kinds: Mapping[str, type[Stored]]) -> Stored:
    shown = printable(str(path), 200)
    values = _parse(_read(path, shown), shown)
    found = values.get("schema") if isinstance(values, dict) else None
    if not isinstance(found, str) or found not in kinds:
        kind = f"schema {printable(str(found))!r}" if found else "no schema of a report"
        wanted = " and ".join(map(repr, kinds))
        raise DataError(f"{shown} has {kind}; this version reads {wanted}")
    try:
        report = kinds[found].from_dict(values)
        if isinstance(report, SamplesReport):
            sense.check_samples(report)
        elif isinstance(report, LocateReport):
            sense.check_locate(report)
        elif isinstance(report, TrackReport):
            sense.check_track(report)
        else:
            for one in report.reports if isinstance(report, Comparison) else [report]:
                sense.check(one)
    except DataError as error:
        raise DataError(f"{shown}: {printable(str(error), 400)}") from error
    except UnicodeError as error:
        raise DataError(f"{shown} holds half of a surrogate pair where a word should be") from error
    return report


def _read(path: str | Path, shown: str) -> str:
    try:
        with Path(path).open(encoding="utf-8-sig") as stream:
            text = stream.read(_LONGEST)
    except OSError as error:
        raise DataError(f"cannot read the report {shown}: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{shown} is no JSON report: it is not UTF-8 text") from error
    if len(text) == _LONGEST:
        raise DataError(f"{shown} is too long to be a report; give another file")
    return text


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
