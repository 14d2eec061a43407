"""Fixtures: every sample report once, and a file that holds one."""

from __future__ import annotations

from pathlib import Path

import pytest
import report_samples

from onnxmem.records import Report
from onnxmem.report import render, write


@pytest.fixture(params=report_samples.ALL)
def any_report(request: pytest.FixtureRequest) -> Report:
    """Give each sample report in turn."""
    return report_samples.ALL[request.param]()


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Give the path of a JSON report."""
    path = tmp_path / "report.json"
    write(render(report_samples.partly_skipped(), "json"), path)
    return path
