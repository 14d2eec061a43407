"""The SARIF report is valid, stands at relative paths, and keeps its fingerprints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import report_samples

from onnxmem.records import Gate, Report
from onnxmem.report import render
from onnxmem.report.sarif import relative_uri

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.json").read_text())


def run(report: Report) -> Any:
    return json.loads(render(report, "sarif"))["runs"][0]


def results(report: Report) -> list[Any]:
    found: list[Any] = run(report)["results"]
    return found


def test_every_report_is_valid_sarif(any_report: Report) -> None:
    log = json.loads(render(any_report, "sarif"))
    jsonschema.Draft7Validator(
        SCHEMA, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    ).validate(log)


def test_rules_and_levels_follow_the_result() -> None:
    found = [(r["ruleId"], r["level"]) for r in results(report_samples.failing())]
    assert found == [
        ("gate-failed", "error"),
        ("gate-not-measurable", "warning"),
        ("layer-saturated", "note"),
    ]


def test_every_result_names_its_rule_by_index() -> None:
    shown = run(report_samples.failing())
    rules = shown["tool"]["driver"]["rules"]
    for result in shown["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert all(rule["help"]["text"] for rule in rules)


def test_a_result_stands_at_the_beginning_of_the_model() -> None:
    for result in results(report_samples.partly_skipped()):
        physical = result["locations"][0]["physicalLocation"]
        assert physical["region"] == {"startLine": 1, "startColumn": 1}
        assert physical["artifactLocation"]["uri"] == "models/cnn-clean.onnx"


def test_a_layer_is_a_logical_location() -> None:
    skipped = results(report_samples.partly_skipped())[0]
    assert skipped["ruleId"] == "layer-skipped"
    assert skipped["locations"][0]["logicalLocations"][0]["name"] == "relu2"


def test_an_inconclusive_report_says_why() -> None:
    first = results(report_samples.empty())[0]
    assert (first["ruleId"], first["level"]) == ("audit-inconclusive", "warning")
    assert first["message"]["text"] == "no ReLU was found"


def test_a_failed_verdict_without_a_failed_gate_is_an_error() -> None:
    found = results(replace(report_samples.failing(), gates=()))
    assert found[0]["level"] == "error"


def test_fingerprints_do_not_depend_on_numbers_or_paths() -> None:
    report = report_samples.failing()
    gates = (replace(report.gates[0], value=0.2, threshold=0.4), *report.gates[1:])
    moved = replace(report, gates=gates, model=replace(report.model, path="other/net.onnx"))
    prints = [r["partialFingerprints"] for r in results(report)]
    assert prints == [r["partialFingerprints"] for r in results(moved)]
    assert len({str(p) for p in prints}) == len(prints)


def test_fingerprints_of_hostile_names_differ() -> None:
    prints = [str(r["partialFingerprints"]) for r in results(report_samples.hostile())]
    assert len(set(prints)) == len(prints)


def test_messages_hold_no_placeholders_and_no_links() -> None:
    text = next(
        r["message"]["text"]
        for r in results(report_samples.hostile())
        if "example.org" in r["message"]["text"]
    )
    assert "{{0}}" in text and "\\[text\\](" in text


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("models/a.onnx", "models/a.onnx"),
        ("./a b.onnx", "a%20b.onnx"),
        ("../a.onnx", "a.onnx"),
        ("C:\\nets\\a.onnx", "a.onnx"),
        ("nets\\a.onnx", "nets/a.onnx"),
        ("/elsewhere/a.onnx", "a.onnx"),
        ("", "model.onnx"),
        ("javascript:x", "javascript%3Ax"),
        ("a|\x1b[31m\u202e%.onnx", "a%7C%1B%5B31m%E2%80%AE%25.onnx"),
        ("a\ud800.onnx", "a%5Cud800.onnx"),
    ],
)
def test_a_uri_is_relative(path: str, uri: str) -> None:
    assert relative_uri(path) == uri


def test_a_path_below_the_working_folder_becomes_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert relative_uri(str(Path.cwd() / "nets" / "a.onnx")) == "nets/a.onnx"


def test_each_model_has_a_category_and_each_result_a_hash_of_its_own(any_report: Report) -> None:
    shown = run(any_report)
    assert shown["automationDetails"]["id"].endswith("/")
    hashes = [r["partialFingerprints"]["primaryLocationLineHash"] for r in shown["results"]]
    assert len(set(hashes)) == len(hashes)


def test_more_results_than_a_host_shows_are_left_out_and_counted() -> None:
    layers = tuple(report_samples.skipped(i, f"relu{i}") for i in range(5_010))
    report = report_samples.report(layers, "fail", "low", (Gate("nmf.mixed", 0.5, 0.1, False),))
    shown = run(report)
    assert len(shown["results"]) == 5_000
    assert shown["results"][0]["ruleId"] == "gate-failed"
    note = shown["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert note.startswith("11 more")


def test_two_thresholds_for_one_score_are_told_apart() -> None:
    gates = tuple(Gate("nmf.mixed", threshold, 0.1, False) for threshold in (0.5, 0.6))
    one, two = (r["partialFingerprints"] for r in run(_with(gates))["results"])
    assert set(one.values()).isdisjoint(two.values())
    assert run(_with(gates[1:]))["results"][0]["partialFingerprints"] == one


def _with(gates: tuple[Gate, ...]) -> Report:
    return report_samples.report((), "fail", "low", gates)
