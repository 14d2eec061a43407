"""All samples of a course as CSV: RFC 4180, UTF-8, a header, numbers in full."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxmem.records import TrackReport

_FIELDS = ("id", "row", "label", "margin", "fitted_from", "fitted", "suspect")


def columns(report: TrackReport) -> dict[str, list[Any]]:
    """Return a list for each column, an entry for each sample; names of classes if there are any.

    `fitted_from` is the path of a checkpoint.
    """
    found = {name: [getattr(one, name) for one in report.samples] for name in _FIELDS}
    paths = [one.path for one in report.checkpoints]
    found["fitted_from"] = [None if k is None else paths[k] for k in found["fitted_from"]]
    if report.names:
        found["label_name"] = [report.names.get(str(one), str(one)) for one in found["label"]]
    return found


def render(report: TrackReport) -> str:
    """Return a row for each sample."""
    found, text = columns(report), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(found)
    writer.writerows(zip(*found.values(), strict=True))
    return text.getvalue()
