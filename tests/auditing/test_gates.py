"""Gates that lie on the right side of their threshold, and those that nothing can be said of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sample_networks import CLASSES, Sample

import onnxmem
from onnxmem.auditing.gates import judge_again, judge_gates
from onnxmem.errors import DataError
from onnxmem.records import Estimate, Gate, Report

SCORED = Estimate(0.5, 0.45, 0.55)
QUICK: dict[str, Any] = {"compress": ["nmf"], "batch": ["mixed"], "ranks": [1, 2], "samples": False}
LOW = {"nmf.mixed": 0.1}


def audit(sample: Sample, rows: np.ndarray | slice = slice(None), **options: Any) -> Report:
    return onnxmem.audit(sample.path, sample.x[rows], sample.y[rows], **(QUICK | options))


@pytest.mark.parametrize(
    ("threshold", "passed"), [(0.4, True), (0.5, True), (0.55, True), (0.56, False)]
)
def test_gate_fails_only_below_the_whole_interval(threshold: float, passed: bool) -> None:
    (gate,) = judge_gates({"nmf.mixed": SCORED}, {"nmf.mixed": threshold})
    assert gate == Gate("nmf.mixed", threshold, 0.5, passed, 0.55)


def test_gate_without_a_score_is_undecided() -> None:
    (gate,) = judge_gates({"nmf.mixed": None}, {"nmf.mixed": 0.5})
    assert gate.passed is None


@pytest.mark.parametrize(
    "gate",
    [
        {"fail_under": LOW},
        {"min_accuracy": 0.5},
        {"fail_over": {"label_noise": 0.5}, "samples": True},
    ],
)
def test_a_gate_without_labels_is_refused_and_names_the_arrays(
    mlp: Sample, gate: dict[str, Any]
) -> None:
    given = {"x": mlp.x, "labels": mlp.y}
    with pytest.raises(DataError) as error:
        onnxmem.audit(mlp.path, given, **(QUICK | gate))
    message = str(error.value)
    assert "'labels' (int64 [96])" in message and "'x' (float32 [96, 10])" in message
    assert "--label-column labels" in message
    assert onnxmem.audit(mlp.path, given, **QUICK).baseline.metric == "fidelity"


def test_a_gate_on_fidelity_has_to_be_meant(mlp: Sample) -> None:
    report = onnxmem.audit(mlp.path, mlp.x, metric="fidelity", fail_under=LOW, **QUICK)
    assert (report.verdict, report.baseline.metric) == ("pass", "fidelity")
    stored = onnxmem.audit(mlp.path, mlp.x, **QUICK)
    with pytest.raises(DataError, match="--metric fidelity"):
        judge_again(stored, LOW)
    assert judge_again(stored, LOW, metric="fidelity").verdict == "pass"


def rows_of(sample: Sample, each: int, classes: int = CLASSES, copies: int = 1) -> np.ndarray:
    """Return so many samples of so many classes, each of them several times."""
    found = [np.flatnonzero(sample.y == label)[:each] for label in range(classes)]
    return np.concatenate(found).repeat(copies)


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ({"each": 9}, {"per_class": 9}, "one class has 9"),
        ({"each": 1, "copies": 30}, {}, "one class has 1"),
        ({"each": 9, "copies": 2}, {}, "one class has 9"),
        ({"each": 24, "classes": 3}, {}, "of each of 4 classes, the data have them of 3"),
    ],
)
@pytest.mark.parametrize("gate", [{"fail_under": LOW}, {"min_accuracy": 0.1}])
def test_little_data_carry_no_gate(
    mlp: Sample, rows: dict[str, int], options: dict[str, Any], words: str, gate: dict[str, Any]
) -> None:
    chosen = rows_of(mlp, **rows)
    report = audit(mlp, chosen, **options, **gate)
    assert (report.verdict, report.exit_code) == ("inconclusive", 3)
    assert words in report.reason
    assert all(one.passed is None and one.value is not None for one in report.gates)
    assert audit(mlp, chosen, **options).verdict == "none"


def test_a_threshold_for_fewer_classes_is_said_to_be_one(mlp: Sample) -> None:
    rows = rows_of(mlp, 24, 3)
    assert audit(mlp, rows, fail_under=LOW, classes=3).verdict == "pass"
    stored = audit(mlp, rows)
    assert judge_again(stored, LOW).verdict == "inconclusive"
    assert judge_again(stored, LOW, classes=3).verdict == "pass"


def test_a_failed_gate_on_little_data_is_no_finding_either(mlp: Sample) -> None:
    report = audit(mlp, rows_of(mlp, 24, 3), fail_under={"nmf.mixed": 0.999})
    assert report.verdict == "inconclusive"


def test_reports_that_do_not_count_different_samples_are_taken_by_their_batches(
    mlp: Sample,
) -> None:
    few = audit(mlp, rows_of(mlp, 9), per_class=9)
    old = replace(few, data=replace(few.data, distinct=None))
    assert "has 9" in judge_again(old, LOW).reason


def test_copies_are_counted_and_told(mlp: Sample) -> None:
    data = audit(mlp, rows_of(mlp, 10, copies=2)).data
    assert (data.samples, data.copies, data.distinct) == (80, 40, 10)
    assert "40 of 80 samples are copies of others" in data.notes
    data = audit(mlp).data
    assert (data.copies, data.distinct) == (0, 24)
    assert not any("copies" in note for note in data.notes)


def test_evidence_is_gated_by_all_samples_that_were_given(mlp: Sample) -> None:
    options: dict[str, Any] = {"samples": True, "fail_over": {"memorized_share": 0.9}}
    assert audit(mlp, **options).verdict == "pass"
    rows = rows_of(mlp, 24, 3)
    report = audit(mlp, rows, **options)
    assert report.verdict == "inconclusive" and "4 classes" in report.reason
    copied = rows_of(mlp, 9, copies=3)
    report = audit(mlp, copied, **options)
    assert report.verdict == "inconclusive"
    assert [gate.passed for gate in report.gates] == [None]
