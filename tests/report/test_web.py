"""What all pages share: charts made quickly and right, and a runtime that is made once."""

from __future__ import annotations

import pytest
import report_samples

from onnxmem.records import Report
from onnxmem.report import charts, html, look, web


@pytest.mark.parametrize(
    "report", [report_samples.failing(), report_samples.many(3)], ids=["ten", "three"]
)
def test_charts_that_are_not_checked_equal_those_that_are(report: Report) -> None:
    quick = html._charts(report)["specs"]
    checked = {
        "overview-mixed": charts.overview(report, "mixed"),
        "rank": charts.accuracy_curves(report, "rank"),
        "error": charts.layer_error(report),
        "errors": charts.all_errors(report),
        "times": charts.times(report),
    }
    for name, chart in checked.items():
        spec = chart.properties(width="container").to_dict()
        del spec["config"]
        found = {key: value for key, value in quick[name].items() if key != "autosize"}
        assert found == spec


def test_what_is_made_later_is_checked_again() -> None:
    with look.unchecked():
        pass
    with pytest.raises(Exception, match="yes"):
        charts.alt.Scale(zero="yes")


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
