"""Waivers are told in every format, and what they forgive is shown as failed."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree as xml

import pytest
import report_samples
from rich.console import Console

from onnxmem import report as formats
from onnxmem.comparing import compare
from onnxmem.findings import waivers_told

WAIVED = report_samples.waived()


def console_text() -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(formats.terminal(WAIVED))
    written: io.StringIO = console.file  # type: ignore[assignment]
    return written.getvalue()


def plain(name: str) -> str:
    if name == "terminal":
        return console_text()
    if name == "svg":
        return formats.image(WAIVED, "svg").decode("utf-8")
    return formats.render(WAIVED, name)


@pytest.mark.parametrize(
    "name", ["json", "html", "markdown", "junit", "sarif", "notebook", "terminal"]
)
def test_every_reason_and_day_is_told(name: str) -> None:
    text = plain(name)
    for one in WAIVED.waivers:
        assert one.reason.split(" <")[0] in text
        assert one.expires in text


def test_pictures_name_what_was_waived() -> None:
    assert "failed and waived: nmf.mixed" in " ".join(plain("svg").split())


@pytest.mark.parametrize("name", ["json", "html", "markdown", "junit", "sarif", "notebook"])
def test_comparisons_tell_those_of_each_model(name: str) -> None:
    found = formats.render_comparison(compare([WAIVED, report_samples.failing()]), name)
    assert "relu1 is wide" in found and "2999-12-31" in found


def test_each_is_a_sentence_with_its_state() -> None:
    applied, expired, unmatched = waivers_told(WAIVED)
    assert "in force" in applied and "layer conv0" in applied and "until 2999-12-31" in applied
    assert "expired" in expired and "sample 17" in expired
    assert "no such gate" in unmatched


def test_junit_skips_what_is_waived_and_passes_nothing() -> None:
    suite = xml.fromstring(plain("junit").encode())
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    skipped = cases["nmf.mixed 0.5"].find("skipped")
    assert skipped is not None and "failed and waived: relu1 is wide" in skipped.get("message", "")
    assert suite.get("failures") == "0"


def test_sarif_suppresses_the_failed_gate_alone() -> None:
    (run,) = json.loads(plain("sarif"))["runs"]
    by_rule = {result["ruleId"]: result for result in run["results"]}
    (suppression,) = by_rule["gate-failed"]["suppressions"]
    assert suppression["kind"] == "external"
    assert suppression["justification"] == "relu1 is wide"
    assert suppression["properties"] == {"layer": "conv0", "expires": "2999-12-31"}
    assert "suppressions" not in by_rule["waiver-without-effect"]
    assert sum(r["ruleId"] == "waiver-without-effect" for r in run["results"]) == 2


def test_a_table_shows_the_gate_as_failed() -> None:
    assert "Gate nmf.mixed: failed, waived" in console_text()
    assert "**failed**, waived" in plain("markdown")
    assert "failed, waived" in plain("html")


def test_stored_reports_keep_them(tmp_path: object) -> None:
    from onnxmem.records import Report

    assert Report.from_dict(WAIVED.to_dict()).waivers == WAIVED.waivers
    older = WAIVED.to_dict()
    del older["waivers"]
    assert Report.from_dict(older).waivers == ()
