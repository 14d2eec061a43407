"""What all pages share: charts made quickly and right, and a runtime that is made once."""

from __future__ import annotations

import os
import subprocess
import sys

import altair
import pytest
import report_samples

from onnxmem.records import Report
from onnxmem.report import html, web


@pytest.mark.parametrize(
    "report", [report_samples.failing(), report_samples.many(3)], ids=["ten", "three"]
)
def test_charts_are_what_the_schema_of_vega_lite_allows(report: Report) -> None:
    specs = html._charts(report)["specs"]
    assert {"overview-mixed", "rank", "error", "errors", "times"} <= specs.keys()
    for spec in specs.values():
        assert altair.LayerChart.from_dict(spec, validate=True).layer


def test_a_page_does_not_wait_for_the_chart_library() -> None:
    script = (
        "import sys, report_samples; from onnxmem.report import html, web;"
        "web._bundle = lambda: 'script'; html.render(report_samples.failing());"
        "print([m for m in ('altair', 'jsonschema') if m in sys.modules])"
    )
    path = os.pathsep.join([os.path.dirname(report_samples.__file__), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path, "ONNXMEM_CACHE_SIZE": "0"},
    )
    assert done.stdout.strip() == "[]"


def test_the_runtime_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def bundle() -> str:
        made.append("script")
        return "script"

    monkeypatch.setattr(web, "_bundle", bundle)
    assert [web.runtime.__wrapped__() for _ in range(2)] == ["script", "script"]
    assert len(made) == 1


def test_a_page_needs_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_bundle", lambda: "script")
    monkeypatch.setenv("ONNXMEM_CACHE_SIZE", "nonsense")
    assert web.runtime.__wrapped__() == "script"
