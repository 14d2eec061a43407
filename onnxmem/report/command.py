"""The command line that repeats an audit, made from what its report says."""

from __future__ import annotations

import json
import shlex
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from onnxmem.records import Report

OPTIONS = (
    "layers",
    "kind",
    "compress",
    "batch",
    "per_class",
    "ranks",
    "metric",
    "output_name",
    "bind",
    "split",
    "device",
    "exact",
    "memory",
    "seed",
    "fail_under",
    "fail_over",
    "min_accuracy",
    "baseline",
    "max_drop",
    "baseline_data",
    "classes",
    "pool",
)
_OF_GATES = ("fail_under", "fail_over", "min_accuracy", "max_drop")
_DEFAULTS = {"baseline_data": "same", "pool": "all"}
DATA_OPTIONS = ("labels", "label_column", "class_names", "preprocess")
REPEATED = ("layers", "bind", "fail_under", "fail_over", "preprocess")
"""Options that are given once for each value."""


def command_line(report: Report) -> str:
    """Return the `onnxmem audit` that measures the same again, quoted for a POSIX shell."""
    words = ["onnxmem", "audit", report.model.path, "--data", report.data.path or "DATA.npz"]
    for name in DATA_OPTIONS:
        words += _option(name, report.data.options.get(name))
    settings = {k: v for k, v in report.settings.items() if v != _DEFAULTS.get(k)}
    if not any(settings.get(name) not in (None, {}) for name in _OF_GATES):
        settings.pop("classes", None)
    for name in OPTIONS:
        words += _option(name, settings.get(name))
    if settings.get("samples") is False:
        words.append("--no-samples")
    return " ".join(map(_quoted, words))


def _option(name: str, value: Any) -> Iterator[str]:
    """Yield one option with its value, or nothing where it was left to itself."""
    if value is None or value is False or value in ("auto", [], {}):
        return
    option = f"--{name.replace('_', '-')}"
    if value is True:
        yield option
    elif name in REPEATED:
        for text in _texts(value):
            yield f"{option}={text}"
    else:
        yield f"{option}={','.join(_texts(value))}"


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{key}={_text(one)}" for key, one in value.items()]
    return [_text(one) for one in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _quoted(word: str) -> str:
    """Return a word for the shell; what cannot be seen is written as an escape of Bash."""
    if all(map(_seen, word)):
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    shown = (c if _seen(c) else f"\\U{ord(c):08x}" for c in escaped)
    return f"$'{''.join(shown)}'"


def _seen(character: str) -> bool:
    return character.isprintable() and not unicodedata.combining(character)
