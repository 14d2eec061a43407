"""The JUnit report: a case for each layer, gate and the verdict; only a failed gate fails."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as xml

import pytest
import report_samples
from junitparser import JUnitXml

from onnxmem.comparing import compare
from onnxmem.records import Report
from onnxmem.report import render, render_comparison


def cases(report: Report, group: str) -> list[xml.Element]:
    root = xml.fromstring(render(report, "junit"))
    return [c for c in root.iter("testcase") if c.get("classname") == f"onnxmem.{group}"]


def state(case: xml.Element) -> str:
    return next((child.tag for child in case if child.tag != "system-out"), "passed")


def test_there_is_a_case_for_every_layer_gate_and_the_verdict(
    any_report: Report,
) -> None:
    assert len(cases(any_report, "layers")) == len(any_report.layers)
    assert len(cases(any_report, "gates")) == len(any_report.gates)
    assert len(cases(any_report, "verdict")) == 1


def test_the_counts_are_those_of_the_cases(any_report: Report) -> None:
    root = xml.fromstring(render(any_report, "junit"))
    suite = root.find("testsuite")
    assert suite is not None
    for element in (root, suite):
        assert int(element.get("tests", "")) == len(suite.findall("testcase"))
        assert int(element.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))
    assert set(root.keys()) == {"name", "time", "tests", "failures", "errors"}


def test_a_layer_that_was_not_scored_is_skipped_with_its_reason() -> None:
    layers = cases(report_samples.partly_skipped(), "layers")
    assert [state(case) for case in layers] == ["passed", "skipped", "skipped"]
    skipped = layers[1].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "skipped: the tail needs the model's input"


def test_only_a_failed_gate_is_a_failure() -> None:
    report = report_samples.failing()
    assert [state(case) for case in cases(report, "gates")] == [
        "failure",
        "passed",
        "skipped",
    ]
    assert [state(case) for case in cases(report, "verdict")] == ["passed"]


def test_an_inconclusive_verdict_is_skipped() -> None:
    assert state(cases(report_samples.inconclusive(), "verdict")[0]) == "skipped"


def test_a_failed_verdict_without_a_failed_gate_is_a_failure() -> None:
    report = replace(report_samples.failing(), gates=())
    assert state(cases(report, "verdict")[0]) == "failure"


def test_names_hold_no_characters_that_xml_forbids() -> None:
    names = [case.get("name", "") for case in cases(report_samples.hostile(), "layers")]
    assert names[0] == "</script><script>alert(1)</script>"
    assert names[5] == "\\x1b[31mred\\x1b[0m\\x07\\x00\\x9b"
    assert all(0 < len(name) <= 200 for name in names)


def test_a_parser_of_others_counts_the_same(any_report: Report) -> None:
    parsed = JUnitXml.fromstring(render(any_report, "junit").encode())
    (suite,) = parsed
    assert suite.tests == len(list(suite)) == parsed.tests
    assert suite.failures == sum(case.is_failure for case in suite)
    assert suite.skipped == sum(case.is_skipped for case in suite)
    assert (suite.errors, suite.failures > 0) == (0, any_report.verdict == "fail")
    assert suite.time == pytest.approx(sum(any_report.timings.values()), abs=1e-3)


def test_cases_of_several_models_are_told_apart_by_class_and_name() -> None:
    comparison = compare([report_samples.passing(), report_samples.failing()])
    cases = list(xml.fromstring(render_comparison(comparison, "junit")).iter("testcase"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)


def test_layers_whose_long_names_look_alike_are_told_apart() -> None:
    names = ["x" * 500 + middle + "x" * 500 for middle in "ab"]
    layers = tuple(report_samples.skipped(place, name) for place, name in enumerate(names))
    shown = [
        case.get("name") for case in cases(report_samples.report(layers, "pass", ""), "layers")
    ]
    assert len(set(shown)) == 2
