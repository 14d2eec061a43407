"""Documents about one model: valid by their schemas, and never kinder than the report."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import report_samples
import yaml

from onnxmem.errors import UsageError
from onnxmem.records import Comparison, Gate, Report
from onnxmem.report import render, render_comparison
from onnxmem.report.metrics import metrics

DATA = Path(__file__).parent / "data"
IN_TOTO = json.loads((DATA / "in-toto-test-result.schema.json").read_text())
GATED = [name for name, make in report_samples.ALL.items() if make().gates and name != "hostile"]


def statement(report: Report) -> Any:
    return json.loads(render(report, "attest"))


def bom(report: Report) -> Any:
    return json.loads(render(report, "bom"))


@pytest.mark.parametrize("name", GATED)
def test_statements_are_those_of_in_toto(name: str) -> None:
    validator = jsonschema.Draft202012Validator(IN_TOTO)
    validator.validate(statement(report_samples.ALL[name]()))


def test_every_bill_of_materials_is_one_of_cyclonedx(any_report: Report) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(render(any_report, "bom")) is None


def test_gates_stand_in_the_list_of_how_they_ended() -> None:
    predicate = statement(report_samples.failing())["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["passedTests"] == ["accuracy"]
    assert predicate["failedTests"] == ["nmf.mixed", "pca.class"]
    assert predicate["warnedTests"] == []


def test_passed_and_waived_are_told_apart() -> None:
    assert statement(report_samples.passing())["predicate"]["result"] == "PASSED"
    waived = statement(report_samples.waived())["predicate"]
    assert waived["result"] == "WARNED" and waived["warnedTests"] == ["nmf.mixed"]


@pytest.mark.parametrize("passed", [True, None])
def test_inconclusive_is_never_written_as_passed(passed: bool | None) -> None:
    report = replace(report_samples.inconclusive(), gates=(Gate("nmf.mixed", 0.5, 0.6, passed),))
    predicate = statement(report)["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["passedTests"] == [] and "verdict" in predicate["failedTests"]
    told = {one["name"]: one["value"] for one in bom(report)["components"][0]["properties"]}
    assert told["onnxmem:verdict"] == "inconclusive"
    assert told["onnxmem:gate:nmf.mixed"] != "passed"
    assert "inconclusive" in render(report, "model_card")


def test_nothing_is_attested_without_a_gate() -> None:
    with pytest.raises(UsageError, match="--fail-under"):
        statement(report_samples.partly_skipped())


def test_nothing_is_attested_of_a_model_without_a_hash() -> None:
    with pytest.raises(UsageError, match="SHA-256"):
        statement(report_samples.hostile())


def test_a_statement_is_bound_to_the_file_and_holds_what_was_run() -> None:
    report = report_samples.passing()
    found = statement(report)
    assert found["subject"][0]["digest"] == {"sha256": report.model.sha256}
    (content, data) = found["predicate"]["configuration"]
    told = json.loads(base64.b64decode(content["content"]))
    assert told["settings"] == report.settings and told["verdict"] == "pass"
    assert "sha256" not in data["digest"]  # it is not that of a file


def test_metrics_have_their_confidence_intervals_unrounded() -> None:
    report = report_samples.passing()
    card = bom(report)["components"][0]["modelCard"]
    found = card["quantitativeAnalysis"]["performanceMetrics"]
    (mean,) = [one for one in found if one["type"] == "nmf.mixed" and "mean" in one["slice"]]
    score = report.summary["nmf.mixed"]
    assert float(mean["value"]) == score.auc
    bounds = mean["confidenceInterval"]
    assert (float(bounds["lowerBound"]), float(bounds["upperBound"])) == (
        score.auc_low,
        score.auc_high,
    )
    (accuracy,) = [one for one in found if one["type"] == "accuracy"]
    assert "confidenceInterval" not in accuracy


def test_what_was_not_measured_has_no_metrics() -> None:
    report = report_samples.refused()
    card = bom(report)["components"][0]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == []
    assert "inconclusive" in card["considerations"]["technicalLimitations"][0]


def test_equal_reports_give_equal_files() -> None:
    for name in ("attest", "bom", "model_card"):
        one, other = (render(report_samples.failing(), name) for _ in range(2))
        assert one == other


def test_a_model_card_has_metadata_in_yaml_and_text_in_markdown(any_report: Report) -> None:
    _, head, text = render(any_report, "model_card").split("---\n", 2)
    values = yaml.safe_load(head)
    assert values["tags"] == ["onnx", "onnxmem"]
    assert text.lstrip().startswith("## ")
    measured = metrics(any_report)
    assert ("model-index" in values) == bool(measured)
    if measured:
        ((result,),) = [one["results"] for one in values["model-index"]]
        assert [one["type"] for one in result["metrics"]] == [one.type for one in measured]
        assert [one["value"] for one in result["metrics"]] == [one.value for one in measured]


@pytest.mark.parametrize("name", ["attest", "bom", "model_card"])
def test_they_are_about_one_model(name: str) -> None:
    report = report_samples.passing()
    both: Any = Comparison("onnxmem.compare/1", ("a", "b"), {}, (), (), (report, report))
    with pytest.raises(UsageError, match="one model"):
        render_comparison(both, name)
