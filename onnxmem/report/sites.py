"""The sites of a model as Markdown and as a fragment for notebooks.

Takes columns by name, so that nothing here knows how sites are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onnxmem.report import tabled
from onnxmem.report.markdown import code, escaped
from onnxmem.report.words import shape, tensor_name
from onnxmem.text import printable

TITLES = ("Site", "Operator", "Shape", "Feature axis", "Status")
Columns = Mapping[str, Sequence[Any]]


def markdown(title: str, verdict: str, columns: Columns) -> str:
    """Return the sites as Markdown, under what was found in one line."""
    rows = (
        (code(name), *map(escaped, others[:-1]), escaped(others[-1], 300))
        for name, *others in _rows(columns)
    )
    return tabled.markdown(title, verdict, TITLES, rows)


def fragment(verdict: str, columns: Columns) -> str:
    """Return the sites as a table without scripts, for notebooks."""
    return tabled.fragment(verdict, TITLES, _rows(columns))


def _rows(columns: Columns) -> Iterator[tuple[str, ...]]:
    """Yield what a row shows of each site."""
    names = ("tensor", "op", "shape", "feature_axis", "status", "reason")
    cells = zip(*(columns.get(name, ()) for name in names), strict=True)
    for tensor, op, sizes, axis, status, reason in cells:
        told = f"{status}: {printable(reason, 200)}" if reason else status
        known = "?" if axis is None else str(axis)
        yield tensor_name(tensor), printable(op), shape(sizes), known, told
