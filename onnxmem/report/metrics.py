"""The numbers of a report as a plain list, for documents with a form of their own for metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from onnxmem.records import LabelNoise, Report
from onnxmem.report.words import key_title, leading_key, tensor_name

SHARES = {
    "memorized_share": "share of training samples that are memorized",
    "strong_share": "share of training samples that are strongly memorized",
    "held_out_disagreement": "share of held-out samples on which neighbours disagree",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One number.

    Attributes:
        type: its name, as in the JSON.
        title: what it is.
        value: as it was measured, unrounded.
        low, high: its 95 % confidence interval; None where there is none.
        of: which part of the network or of the data it is of; empty: all.
    """

    type: str
    title: str
    value: float
    low: float | None = None
    high: float | None = None
    of: str = ""


def is_sha256(text: str) -> bool:
    """Tell whether a text is a hash, as documents that are bound to a file need one."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def metrics(report: Report) -> list[Metric]:
    """Return what was measured: accuracy, shares of samples, means over layers; nothing else.

    A report in which nothing was measured has none. So is it with scores that have no value.
    """
    return [*_baseline(report), *_evidence(report), *_scores(report)]


def layer_metrics(report: Report) -> list[Metric]:
    """Return the AuC of each layer that is not saturated, for the leading score."""
    key = leading_key(report)
    if key is None:
        return []
    found = [(tensor_name(layer.tensor), layer.curve(key)) for layer in report.layers]
    return [
        Metric(key, _title(key), one.auc, one.auc_low, one.auc_high, name)
        for name, one in found
        if one is not None and one.scored
    ]


def _title(key: str) -> str:
    return f"AuC ({key_title(key)})"


def _baseline(report: Report) -> Iterator[Metric]:
    if report.baseline.value is None:
        return
    own = report.baseline.metric == "fidelity"
    name = "fidelity" if own else "accuracy"
    title = "fidelity to its own predictions" if own else "top-1 accuracy"
    yield Metric(name, title, report.baseline.value, of=f"{report.data.samples} samples")


def _evidence(report: Report) -> Iterator[Metric]:
    network = None if report.evidence is None else report.evidence.network
    if network is None:
        return
    for name, title in SHARES.items():
        share = getattr(network, name)
        if share is not None:
            yield Metric(name, title, share.value, share.low, share.high)
    yield from _noise(network.label_noise)


def _noise(noise: LabelNoise) -> Iterator[Metric]:
    """Yield the share of noise, whose range is no confidence interval and is told in words."""
    if noise.found is None or noise.estimate is None:
        return
    told = "found" if noise.found else "not found"
    of = f"{told}; range of five estimates {noise.low} to {noise.high}, no confidence interval"
    yield Metric("label_noise", "share of wrong labels", noise.estimate, of=of)


def _scores(report: Report) -> Iterator[Metric]:
    for key, score in report.summary.items():
        if score.auc is not None:
            of = f"mean over {score.layers_scored} layers"
            yield Metric(key, _title(key), score.auc, score.auc_low, score.auc_high, of)
