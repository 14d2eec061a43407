"""What an audit says first, and what stands behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import report_samples

from onnxmem.findings import audit_findings, audit_headline
from onnxmem.records import Gate
from onnxmem.text import beside


def test_a_failed_gate_is_the_headline() -> None:
    headline = audit_headline(report_samples.failing())
    assert headline.startswith("Gate failed: ")


def test_the_headline_of_a_gate_shows_the_comparison() -> None:
    gate = Gate("nmf.mixed", 0.5, 0.49, passed=False, bound=0.49996)
    report = replace(report_samples.failing(), gates=(gate,), verdict="fail")
    assert audit_headline(report) == "Gate failed: nmf.mixed is at most 0.49996, below 0.50000"


def test_a_gate_that_limits_from_above_says_so() -> None:
    gate = Gate("memorized_share", 0.1, 0.3, passed=False, bound=0.25)
    report = replace(report_samples.failing(), gates=(gate,), verdict="fail")
    assert "memorized_share is at least 0.250, above 0.100" in audit_headline(report)


def test_an_inconclusive_audit_leads_with_the_cure_and_then_its_reason() -> None:
    report = report_samples.inconclusive()
    first = audit_findings(report)[0]
    assert audit_headline(report).startswith("Inconclusive: give more classes")
    assert first.caution == report.reason.rstrip(".")


def test_an_unmeasured_network_leads_with_its_reason_and_is_to_be_inspected() -> None:
    report = report_samples.refused()
    assert report.reason.rstrip(".") in audit_headline(report)
    assert "onnxmem inspect" in audit_findings(report)[0].follow


def test_without_gates_and_evidence_the_mean_auc_is_the_headline() -> None:
    report = replace(report_samples.passing(), gates=(), verdict="none", evidence=None)
    score = report.summary["nmf.mixed"]
    assert f"{score.auc:.3f} ({score.auc_low:.3f}–{score.auc_high:.3f})" in audit_headline(report)


def test_the_lowest_layers_are_named_lowest_first() -> None:
    report = report_samples.many(12)
    lowest = next(one for one in audit_findings(report) if one.key.endswith(".lowest"))
    scored = [(layer.curve("nmf.mixed"), layer.tensor) for layer in report.layers]
    order = sorted((one.auc, tensor) for one, tensor in scored if one and not one.saturated)
    assert [lowest.sentence.index(f"({auc:.3f})") for auc, _ in order[:3]] == sorted(
        lowest.sentence.index(f"({auc:.3f})") for auc, _ in order[:3]
    )


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (0.4, 0.5, ("0.400", "0.500")),
        (0.49996, 0.5, ("0.49996", "0.50000")),
        (0.5, 0.5, ("0.500", "0.500")),
        (None, 0.5, ("unknown", "0.500")),
    ],
)
def test_digits_suffice_to_see_a_comparison(
    value: float | None, limit: float, shown: tuple[str, str]
) -> None:
    assert beside(value, limit) == shown
