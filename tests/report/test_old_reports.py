"""Reports of 0.1.0 are read, shown, compared and judged by."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnxmem.auditing import judge_again
from onnxmem.comparing import compare
from onnxmem.findings import audit_headline, comparison_headline
from onnxmem.records import Report
from onnxmem.report import Format, load, render, render_comparison

OLD = Path(__file__).parent / "data" / "report-0.1.0.json"
"""The audit of `vowels-mlp-p20` by onnxmem 0.1.0, NMF on mixed batches."""


@pytest.fixture(scope="module")
def old() -> Report:
    return load(OLD)


def test_an_old_report_tells_what_it_told(old: Report) -> None:
    assert old.tool.version == "0.1.0"
    assert old.verdict == "pass"
    assert f"{old.summary['nmf.mixed'].auc:.3f}" in audit_headline(old)


@pytest.mark.parametrize("name", list(Format))
def test_every_format_shows_an_old_report(name: Format, old: Report) -> None:
    assert render(old, name).strip()


def test_old_reports_are_compared(old: Report) -> None:
    found = compare([old, old])
    assert "is alike" in comparison_headline(found)
    assert render_comparison(found, "html").strip()


def test_an_old_report_is_judged_by_new_gates(old: Report) -> None:
    judged = judge_again(old, {"nmf.mixed.relative": 0.99})
    assert judged.verdict == "fail"
    (gate,) = [one for one in judged.gates if one.key == "nmf.mixed.relative"]
    assert old.baseline.value is not None and gate.value is not None
    assert gate.value == pytest.approx(old.summary["nmf.mixed"].auc / old.baseline.value)
