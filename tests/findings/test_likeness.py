"""What is said of pairs of models: alike, apart, copies, or the numbers alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import report_samples
import samples_reports

from onnxmem.comparing import compare
from onnxmem.findings import (
    layer_rows,
    likeness_findings,
    likeness_rows,
    likeness_summary,
    matrices,
)
from onnxmem.records import Comparison, Estimate, Predictions, Report, Similarity

LAYER = "/relu1/Relu_output_0"


def known(accuracy: float, batches: str = "abc", metric: str = "top1") -> Report:
    report = report_samples.passing()
    return replace(
        report,
        baseline=replace(report.baseline, metric=metric, value=accuracy),
        data=replace(report.data, batches=batches),
    )


def that_memorized(value: float) -> Report:
    evidence = samples_reports.evidence()
    assert evidence.network is not None
    share = Estimate(value, value - 0.02, value + 0.02)
    network = replace(evidence.network, memorized_share=share)
    return replace(known(1.0), evidence=replace(evidence, network=network))


def pair(kappa: float, cka: float, *reports: Report, agreement: float = 0.5) -> Comparison:
    """Return a comparison of two models that are as alike as this."""
    base = compare(reports or (known(1.0), known(1.0)), own_data=True)
    a, b = base.models
    site = Similarity(a, b, LAYER, LAYER, "site", 0.9, 0.7)
    output = Similarity(a, b, "logits", "scores", "output", cka, 0.4)
    answers = Predictions(a, b, agreement, kappa, kappa - 0.05, kappa + 0.05)
    return replace(base, similarity=(site, output), predictions=(answers,), held_out_samples=300)


def said(comparison: Comparison) -> str:
    (sentence,) = likeness_findings(comparison)
    return sentence


def test_what_is_alike_learned_alike() -> None:
    sentence = said(pair(0.9, 0.8))
    assert "learned alike: the same answer to 50 % of 300 held-out inputs" in sentence
    assert "κ 0.90 (0.85–0.95)" in sentence and "CKA of their logits 0.80" in sentence


def test_what_memorized_did_not_learn_alike() -> None:
    network = that_memorized(0.3)
    assert "learned alike" not in said(pair(0.9, 0.8, network, network))
    assert "learned alike" in said(pair(0.9, 0.8, that_memorized(0.1), that_memorized(0.1)))


@pytest.mark.parametrize(
    ("one", "other", "memorized"),
    [
        (known(1.0), known(0.95), True),
        (known(1.0), known(0.5), False),
        (known(1.0), known(1.0, batches="other"), False),
        (known(1.0, metric="fidelity"), known(1.0, metric="fidelity"), False),
    ],
)
def test_models_memorized_apart_that_know_the_same_labels(
    one: Report, other: Report, memorized: bool
) -> None:
    sentence = said(pair(0.1, 0.2, one, other))
    assert ("memorized apart" in sentence) is memorized
    assert ("answer apart" in sentence) is not memorized


@pytest.mark.parametrize(("kappa", "cka"), [(0.5, 0.6), (0.9, 0.3), (0.3, 0.8)])
def test_in_between_the_numbers_stand_alone(kappa: float, cka: float) -> None:
    sentence = said(pair(kappa, cka))
    assert "alike" not in sentence and "apart" not in sentence
    assert f"κ {kappa:.2f}" in sentence


def test_copies_tell_nothing_of_learning() -> None:
    assert "copies or exports of one network" in said(pair(1.0, 1.0, agreement=1.0))


def test_rows_and_matrices_hold_the_same_numbers() -> None:
    comparison = pair(0.9, 0.8)
    ((models, same, kappa, cka, overlap),) = likeness_rows(comparison)
    assert (same, kappa, cka, overlap) == ("50 %", "0.90 (0.85–0.95)", "0.80", "40 %")
    assert layer_rows(comparison) == [(LAYER, models, "0.90", "70 %")]
    assert matrices(comparison)["CKA of logits"] == [[1.0, 0.8], [0.8, 1.0]]


def test_without_held_out_inputs_nothing_is_said() -> None:
    bare = compare([known(1.0), known(1.0)])
    assert likeness_findings(bare) == likeness_rows(bare) == layer_rows(bare) == []
    assert matrices(bare) == {}


def test_two_models_are_summed_up_by_their_sentence() -> None:
    comparison = pair(0.9, 0.8)
    assert likeness_summary(comparison) == said(comparison)


def test_of_several_models_the_most_and_the_least_alike_are_named() -> None:
    base = compare([known(1.0)] * 3, own_data=True)
    a, b, c = base.models
    kappas = {(a, b): 0.9, (a, c): -0.001, (b, c): 0.3}
    answers = tuple(Predictions(*two, 0.5, k, k - 0.1, k + 0.1) for two, k in kappas.items())
    told = likeness_summary(replace(base, predictions=answers, held_out_samples=300))
    assert told.startswith("On 300 held-out inputs ")
    assert told.index("κ 0.90) agree the most") < told.index("κ 0.00) the least")
