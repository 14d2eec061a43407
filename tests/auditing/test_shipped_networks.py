"""Audits of the networks that ship: every cut holds, and memorizing ones score lower."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

import onnxmem
from onnxmem import models
from onnxmem.records import Report

FAMILIES = [*models.families("labels"), *models.families("training")]
MLPS = ["mnist1d-mlp", "vowels-mlp"]


def finished(family: str) -> list[models.Network]:
    """Return the networks of a family by rising p, without early checkpoints."""
    return [n for n in models.family(family) if not n.name.endswith("-early")]


def audit(network: models.Network, **options: Any) -> Report:
    with np.load(network.data_path) as data:
        train = data["split"] == "train"
        return onnxmem.audit(network.path, data["x"][train], data["y"][train], **options)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_cut_gives_back_the_model(family: str) -> None:
    for network in models.family(family):
        report = audit(network, per_class=10, ranks=[1], compress=["nmf"])
        assert report.layers
        for layer in report.layers:
            assert layer.status in ("scored", "saturated"), layer.reason
            assert layer.cut is not None
            assert layer.cut.relative_error is not None
            assert layer.cut.relative_error <= 1e-4


@pytest.mark.parametrize("family", MLPS)
def test_memorizing_networks_score_lower(family: str) -> None:
    networks = finished(family)
    scores = [
        audit(network, compress=["nmf"], batch=["mixed"]).summary["nmf.mixed"].auc
        for network in networks
    ]
    assert None not in scores
    correlation = spearmanr([network.p for network in networks], scores).statistic
    assert correlation <= -0.94
    assert scores[0] - scores[-1] > 0.1  # type: ignore[operator]


@pytest.mark.parametrize("family", MLPS)
def test_single_class_curves_of_deep_layers_are_saturated_not_good(family: str) -> None:
    report = audit(models.network(f"{family}-p00"), compress=["nmf"], batch=["class"])
    deepest = report.layers[-1]
    assert deepest.status == "saturated"
    assert all(curve.saturated and curve.auc > 0.99 for curve in deepest.curves)
    saturated = [layer for layer in report.layers if layer.status == "saturated"]
    assert report.summary["nmf.class"].layers_saturated == len(saturated)
    scored = [layer.curves[0].auc for layer in report.layers if layer.status == "scored"]
    expected = pytest.approx(np.mean(scored)) if scored else None
    assert report.summary["nmf.class"].auc == expected


def test_network_saturated_everywhere_is_inconclusive() -> None:
    report = audit(models.network("vowels-mlp-p00"), compress=["nmf"], batch=["class"])
    assert {layer.status for layer in report.layers} == {"saturated"}
    assert (report.verdict, report.exit_code) == ("inconclusive", 3)
    assert "saturated" in report.reason
    assert report.summary["nmf.class"].auc is None
