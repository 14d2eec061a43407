"""Tells files that onnxmem wrote from those of others, by how each format begins."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

_START = 8192
"""Bytes in which every format names its tool."""

_BEGINNINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb'\{\s*"schema": "onnxmem\.',
        rb'\{\s*"\$schema": "[^"]*sarif.*"driver": \{\s*"name": "onnxmem"',
        rb'<!doctype html>.*<meta name="generator" content="onnxmem ',
        rb"## (\S+ )?onnxmem: ",
        rb'<\?xml [^>]*>\s*<testsuites name="onnxmem"',
        rb"id,row,label,prediction,score,margin,",
    )
)


def is_ours(path: Path) -> bool:
    """Tell whether a file, as far as its beginning shows, is a report or a table of onnxmem."""
    with path.open("rb") as stream:
        start = stream.read(_START)
    return any(pattern.match(start) for pattern in _BEGINNINGS) or _is_our_parquet(path, start)


def _is_our_parquet(path: Path, start: bytes) -> bool:
    """Tell whether a table was written by us; without pyarrow nothing writes one."""
    if not start.startswith(b"PAR1"):
        return False
    try:
        names = importlib.import_module("pyarrow.parquet").read_schema(path).names
    except (ImportError, OSError, ValueError):
        return False
    return {"row", "margin", "neighbours_say", "memorized"} <= set(names)
