"""All samples as CSV: RFC 4180, UTF-8, a header, numbers in full."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from onnxmem.report.samples.rows import columns

if TYPE_CHECKING:
    from onnxmem.records import Evidence, SamplesReport


def render(report: SamplesReport | Evidence) -> str:
    """Return a row for each sample."""
    found = columns(report.samples, report.names)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(found)
    writer.writerows(zip(*found.values(), strict=True))
    return text.getvalue()
