"""Reports side by side, and reports from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onnxmem import comparing, records
from onnxmem import report as formats
from onnxmem.api.results import Comparison, LocateReport, Report, SamplesReport, TrackReport


def compare(
    reports: Sequence[records.Report], *, notes: Sequence[str] = (), same_data: bool = False
) -> Comparison:
    """Put reports side by side; the first is what the others differ from.

    Args:
        reports: two or more.
        notes: what is to be told beside the comparison.
        same_data: the caller has seen to it that all models got the same samples, even where
            each took them from an array of its own.

    Raises:
        UsageError: there are fewer than two, or they measured different things; the message says
            which.

    Source: see `onnxmem.comparing.comparison`.
    """
    return Comparison.of(comparing.compare(reports, notes=notes, same_data=same_data))


def load(path: str | Path) -> Report | Comparison | SamplesReport | LocateReport | TrackReport:
    """Return what a JSON file holds: what one of the commands left there.

    Raises:
        DataError: there is no such file, or it holds none of these.
    """
    found = formats.load_stored(path)
    if isinstance(found, records.SamplesReport):
        return SamplesReport.of(found)
    if isinstance(found, records.LocateReport):
        return LocateReport.of(found)
    if isinstance(found, records.TrackReport):
        return TrackReport.of(found)
    return Report.of(found) if isinstance(found, records.Report) else Comparison.of(found)
