"""Waivers forgive what they name, for as long as they say, and nothing that was not measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import report_samples

from onnxmem.auditing import Settings, waivers
from onnxmem.auditing.waivers import check_waivers, forgive, judge_waivers
from onnxmem.errors import UsageError
from onnxmem.records import Evidence, Gate, Report, SampleEvidence, Waiver, make_waiver

DAY = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waivers, "today", lambda: DAY)


def layers(*aucs: float) -> Report:
    """Return a report with a layer for each AuC, called conv0, conv1, ..."""
    made = [report_samples.layer(i, f"conv{i}", 0.5) for i in range(len(aucs))]
    changed = tuple(
        replace(
            one,
            curves=tuple(replace(c, auc=auc, auc_low=auc - 0.01, auc_high=auc) for c in one.curves),
        )
        for one, auc in zip(made, aucs, strict=True)
    )
    return report_samples.report(changed)


FAILED = Gate("nmf.mixed", 0.5, 0.4, False, 0.45)
PASSED = Gate("nmf.mixed", 0.3, 0.4, True, 0.45)
UNKNOWN = Gate("nmf.mixed", 0.5, None, None)
REPORT = layers(0.2, 0.6, 0.6)


def states(*given: Waiver, gate: Gate = FAILED, report: Report = REPORT) -> list[Any]:
    _, told = judge_waivers(report, [gate], given)
    return [one.state for one in told]


def waiver(**fields: str) -> Waiver:
    return Waiver(**{"gate": "nmf.mixed", "reason": "known", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "applied"),
        ({"expires": "2026-06-01"}, "applied"),
        ({"expires": "2026-05-31"}, "expired"),
        ({"gate": "pca.mixed"}, "unmatched"),
        ({"layer": "conv0"}, "applied"),
        ({"layer": "conv[01]"}, "applied"),
        ({"layer": "conv1"}, "insufficient"),
        ({"layer": "dense"}, "unmatched"),
        ({"layer": "*"}, "insufficient"),
    ],
)
def test_a_failed_gate_is_forgiven_by_what_is_in_force_and_enough(
    fields: dict[str, str], state: str
) -> None:
    assert states(waiver(**fields)) == [state]


def test_several_layers_are_waived_together() -> None:
    report = layers(0.2, 0.2, 0.6)
    assert states(waiver(layer="conv0"), report=report) == ["insufficient"]
    both = waiver(layer="conv0"), waiver(layer="conv1")
    assert states(*both, report=report) == ["applied", "applied"]


@pytest.mark.parametrize("gate", [PASSED, UNKNOWN])
def test_nothing_is_forgiven_that_did_not_fail(gate: Gate) -> None:
    forgiven, told = judge_waivers(REPORT, [gate], [waiver()])
    assert forgiven == () and [one.state for one in told] == ["unneeded"]


def test_forgiven_gates_are_those_that_failed() -> None:
    forgiven, _ = judge_waivers(REPORT, [FAILED, replace(FAILED, key="pca.mixed")], [waiver()])
    assert forgiven == (FAILED,)


def memorized(count: int) -> Report:
    """Return a report of 100 samples of which `count` are memorized, called 0, 1, ..."""
    samples = tuple(
        SampleEvidence(str(n), n, 0, 0, 1.0, 0.5, 1, True, True, False, None) for n in range(count)
    )
    network: Any = type("Network", (), {"samples": 100})()
    return replace(REPORT, evidence=Evidence(network=network, layers=(), samples=samples))


def test_samples_are_taken_off_the_share() -> None:
    gate = Gate("memorized_share", 0.05, 0.08, False, 0.06)
    one, other = (Waiver("memorized_share", "hard", sample=name) for name in ("3", "4"))
    assert states(one, gate=gate, report=memorized(8)) == ["applied"]
    strict = replace(gate, threshold=0.045)
    assert states(one, gate=strict, report=memorized(8)) == ["insufficient"]
    assert states(one, other, gate=strict, report=memorized(8)) == ["applied", "applied"]
    stranger = Waiver("memorized_share", "hard", sample="99")
    assert states(stranger, gate=gate, report=memorized(8)) == ["unmatched"]


@pytest.mark.parametrize(
    ("verdict", "forgiven", "expected"),
    [
        ("pass", True, "pass"),
        ("none", True, "pass"),
        ("none", False, "none"),
        ("fail", True, "fail"),
        ("inconclusive", True, "inconclusive"),
    ],
)
def test_the_verdict_is_that_of_the_other_gates(
    verdict: Any, forgiven: bool, expected: str
) -> None:
    gates = [FAILED] if forgiven else []
    found, reason = forgive(verdict, "because", gates, [waiver()])
    assert found == expected
    assert ("failed and waived: nmf.mixed" in reason) == forgiven


def test_what_expired_is_said_in_the_reason() -> None:
    told = [replace(waiver(expires="2020-01-31"), state="expired")]
    assert forgive("fail", "nmf.mixed is low", [], told) == (
        "fail",
        "nmf.mixed is low; the waiver for nmf.mixed expired on 2020-01-31",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": " "},
        {"gate": ""},
        {"layer": "a", "sample": "b"},
        {"gate": "label_noise", "layer": "a"},
        {"gate": "nmf.mixed:drop", "layer": "a"},
        {"sample": "7"},
        {"expires": "tomorrow"},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="waiver for"):
        check_waivers([waiver(**fields)])
    with pytest.raises(UsageError, match="waiver for"):
        Settings(waivers=(waiver(**fields),))


@pytest.mark.parametrize(
    "values",
    [
        {"gate": "nmf.mixed"},
        {"reason": "x"},
        {"gate": "a", "reason": "x", "until": "y"},
        {"gate": 3, "reason": "x"},
    ],
)
def test_tables_that_are_no_waivers_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="a waiver"):
        make_waiver(values)


def test_days_of_toml_are_taken() -> None:
    made = make_waiver({"gate": "a", "reason": "b", "expires": date(2027, 1, 31), "sample": 7})
    assert (made.expires, made.sample) == ("2027-01-31", "7")
