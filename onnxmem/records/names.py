"""What models are called beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from onnxmem.records.report import Report
from onnxmem.text import file_name, printable


def model_names(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return one name for each report; equal file names are told apart by their hashes."""
    names = [file_name(report.model.path) for report in reports]
    hashes = [printable(report.model.sha256, 16)[:8] for report in reports]
    full = [
        f"{name} ({digest})" if names.count(name) > 1 else name
        for name, digest in zip(names, hashes, strict=True)
    ]
    return tuple(
        f"{name} #{index + 1}" if full.count(name) > 1 else name for index, name in enumerate(full)
    )
