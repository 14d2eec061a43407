"""Curves above the accuracy of the untouched network, and scores relative to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sample_networks
from sample_networks import CLASSES, Sample

import onnxmem
from onnxmem.auditing.gates import judge_again
from onnxmem.compression.curve import is_above, is_saturated
from onnxmem.records import Report
from onnxmem.report import render, sentence

WRONG = 0.2


@pytest.fixture(scope="module")
def suspect(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Give a network that did not fit a fifth of its labels, which are wrong.

    Its second layer tells classes by magnitude alone, so that a batch of one label, compressed to
    one component, gets that label throughout.
    """
    return make_suspect(tmp_path_factory.mktemp("suspect"))


def make_suspect(folder: Path) -> Sample:
    x, y = sample_networks.blobs(10)
    nodes, weights = sample_networks.mlp_parts(10)
    model = sample_networks.with_readout(nodes, weights, ["n", 10], {"x": x}, y)
    wrong = np.random.default_rng(5).random(len(y)) < WRONG
    given = np.where(wrong, (y + 1) % CLASSES, y)
    return sample_networks.store(folder, "suspect", model, x, given)


@pytest.fixture(scope="module")
def report(suspect: Sample) -> Report:
    return onnxmem.audit(
        suspect.path, suspect.x, suspect.y, compress=["nmf"], per_class=24, samples=False
    )


def test_compression_that_mends_labels_is_not_called_saturated(report: Report) -> None:
    assert report.baseline.value is not None and report.baseline.value < 0.9
    found = [layer.curve("nmf.class") for layer in report.layers]
    above = [one for one in found if one is not None and one.above]
    assert above
    for one in above:
        assert one.auc > report.baseline.value and not one.saturated and not one.scored
        assert one.accuracy[0] > one.accuracy[-1]
        assert one.suspects
        for group in one.groups:
            assert group.untouched == pytest.approx(group.accuracy[-1])
    score = report.summary["nmf.class"]
    assert score.layers_above == len(above)
    assert score.layers_scored + score.layers_saturated + score.layers_above == len(report.layers)


def test_it_has_words_of_its_own_in_every_format(report: Report) -> None:
    assert "labels of classes" in sentence(report) and "are suspect" in sentence(report)
    assert "above" in render(report, "markdown")
    assert "above the baseline" in render(report, "html")
    assert Report.from_dict(report.to_dict()).layers == report.layers


def test_a_layer_of_such_curves_alone_says_so(suspect: Sample, report: Report) -> None:
    above = [layer.tensor for layer in report.layers if layer.curves[0].above]
    found = onnxmem.audit(
        suspect.path, suspect.x, suspect.y, compress=["nmf"], batch=["class"], per_class=24,
        layers=above[:1], samples=False, fail_under={"nmf.class": 0.1},
    )  # fmt: skip
    assert found.layers[0].status == "above"
    assert found.verdict == "inconclusive" and "labels are suspect" in found.reason
    assert "layer-above" in render(found, "sarif")
    assert "above" in render(found, "junit")


@pytest.mark.parametrize(
    ("auc", "least", "above", "saturated"),
    [(0.95, 0.01, True, True), (0.95, -0.01, False, True), (0.905, 0.01, False, True)],
)
def test_a_curve_is_above_where_samples_do_not_explain_it(
    auc: float, least: float, above: bool, saturated: bool
) -> None:
    assert is_above(auc, 0.9, least) is above
    assert is_saturated(auc, 0.9) is saturated


def test_scores_stand_relative_to_the_accuracy(report: Report) -> None:
    score = report.summary["nmf.mixed"]
    assert score.auc is not None and score.auc_relative is not None
    assert score.auc_relative == pytest.approx(score.auc / report.baseline.value)
    assert score.auc_relative_low is not None and score.auc_relative_high is not None
    assert score.auc_relative_low <= score.auc_relative <= score.auc_relative_high
    assert "relative to the baseline" in sentence(report)


def test_a_gate_may_be_set_on_what_is_relative(report: Report) -> None:
    value = report.value("nmf.mixed.relative")
    assert value is not None
    judged = judge_again(report, {"nmf.mixed.relative": 0.999})
    (gate,) = judged.gates
    assert (gate.value, gate.bound) == (value.value, value.high)
    between = (value.value + value.high) / 2
    assert judge_again(report, {"nmf.mixed.relative": between}).verdict == "pass"


def test_reports_without_relative_scores_get_them_by_division(report: Report) -> None:
    stored = report.to_dict()
    for score in stored["summary"].values():
        for name in ("auc_relative", "auc_relative_low", "auc_relative_high", "layers_above"):
            del score[name]
    old = Report.from_dict(stored).value("nmf.mixed.relative")
    new = report.value("nmf.mixed.relative")
    assert old is not None and new is not None
    assert old.value == pytest.approx(new.value)
