"""Scores against those of an earlier report: paired where samples are the same, else not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onnxmem.auditing.drops import judge_drops
from onnxmem.auditing.gates import judge_again
from onnxmem.compression import curve
from onnxmem.errors import UsageError
from onnxmem.records import (
    SCHEMA,
    Baseline,
    Curve,
    DataInfo,
    Gate,
    Group,
    Layer,
    ModelInfo,
    Report,
    Score,
    Tool,
)

GROUPS, EACH = 6, 10


def layer(shares: np.ndarray, name: str = "relu", width: int = 8, saturated: bool = False) -> Layer:
    """Return a layer of which each sample adds its share (GROUPS * EACH,) to the AuC."""
    auc = float(shares.mean())
    groups = tuple(
        Group(label, EACH, (0.5, 1.0), float(part.mean()))
        for label, part in enumerate(shares.reshape(GROUPS, EACH))
    )
    one = Curve(
        compressor="nmf",
        batch="mixed",
        x_name="rank",
        x=(1, 2),
        accuracy=(0.5, 1.0),
        error=(0.5, 0.1),
        auc=auc,
        auc_low=max(0.0, auc - 0.06),
        auc_high=min(1.0, auc + 0.06),
        auc_relative=auc,
        auc_bound=0.0,
        saturated=saturated,
        groups=groups,
        sample_auc=curve.pack(shares),
    )
    return Layer(name, "Relu", 0, (None, width), 1, "scored", "", None, (one,))


def report(*layers: Layer, batches: str = "same", data: str = "1", seed: int = 3) -> Report:
    live = [one.auc for item in layers for one in item.curves if not one.saturated]
    mean = float(np.mean(live)) if live else None
    return Report(
        schema=SCHEMA,
        tool=Tool("onnxmem", "0"),
        model=ModelInfo("a.onnx", "0" * 64, 8, 17, "test"),
        data=DataInfo("d.npz", data * 64, 60, GROUPS, 60, batches=batches, distinct=10),
        settings={"seed": seed, "ranks": "auto", "per_class": 10},
        environment={},
        baseline=Baseline("top1", 1.0, 0.1),
        layers=layers,
        summary={"nmf.mixed": Score(mean, mean, mean, len(live), len(layers) - len(live))},
        gates=(),
        verdict="none",
        reason="",
    )


def shares(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.9, GROUPS * EACH)


def drop(now: Report, before: Report, most: float = 0.01) -> Gate:
    (gate,) = judge_drops(now, before, most)
    return gate


WORSE = np.where(np.arange(GROUPS * EACH) % 10 < 8, 0.05, 0.0)
"""What a retraining takes from each sample: .04 on average."""


def test_pairs_find_a_drop_that_lies_within_the_interval_of_each_score() -> None:
    before, now = report(layer(shares())), report(layer(shares() - WORSE))
    gate = drop(now, before)
    assert gate.value == pytest.approx(0.04)
    assert gate.bound is not None and 0.01 < gate.bound < 0.04
    assert (gate.passed, gate.note) == (False, "")
    assert now.layers[0].curves[0].auc_high > before.layers[0].curves[0].auc


@pytest.mark.parametrize(
    ("change", "words"), [({"data": "2"}, "on other data"), ({"seed": 4}, "another seed")]
)
def test_other_samples_are_not_paired_and_the_gate_says_so(
    change: dict[str, str | int], words: str
) -> None:
    now = report(layer(shares() - WORSE))
    gate = drop(now, report(layer(shares()), batches="other", **change))  # type: ignore[arg-type]
    assert gate.value == pytest.approx(0.04)
    assert gate.bound is not None and gate.bound < 0
    assert gate.passed and "not paired" in gate.note and words in gate.note


def without_samples(one: Report) -> Report:
    """Return a report that tells neither what a sample adds nor which batches there were."""
    bare = [replace(item, curves=(replace(item.curves[0], sample_auc=""),)) for item in one.layers]
    return replace(one, layers=tuple(bare), data=replace(one.data, batches="", distinct=None))


def test_reports_that_tell_of_batches_alone_are_paired_by_these() -> None:
    before = without_samples(report(layer(shares())))
    gate = drop(report(layer(shares() - WORSE)), before)
    assert gate.passed is False and "paired by batches" in gate.note
    other = replace(before, settings=before.settings | {"per_class": 9})
    assert "not paired" in drop(report(layer(shares() - WORSE)), other).note


def test_a_fall_from_the_ceiling_counts_and_what_stays_there_does_not() -> None:
    full = np.full(GROUPS * EACH, 1.0)
    before = report(layer(full, "a", saturated=True), layer(full, "b", saturated=True))
    now = report(layer(full - 0.3, "a"), layer(full, "b", saturated=True))
    gate = drop(now, before)
    assert gate.passed is False and gate.value == pytest.approx(0.3, abs=1e-4)
    assert judge_drops(before, before, 0.1) == ()
    assert drop(before, now).passed is None


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ([layer(shares(), "one", 24)], "'relu' (Relu ?×8) there, and 'one' (Relu ?×24) here"),
        ([layer(shares()), layer(shares(), "more")], "'more' (Relu ?×8) here"),
    ],
)
def test_layers_without_a_counterpart_are_named(now: list[Layer], named: str) -> None:
    with pytest.raises(UsageError) as error:
        judge_drops(report(*now), report(layer(shares())), 0.1)
    assert named in str(error.value)


def test_other_data_are_allowed_where_they_are_meant() -> None:
    now, before = report(layer(shares())), report(layer(shares()), data="2", batches="other")
    with pytest.raises(UsageError, match="--baseline-data other"):
        judge_again(now, {}, before, 0.1)
    judged = judge_again(now, {}, before, 0.1, other_data=True)
    assert judged.verdict == "pass" and "on other data" in judged.gates[0].note
    fewer = replace(before, data=replace(before.data, classes=2))
    with pytest.raises(UsageError, match="classes differ"):
        judge_again(now, {}, fewer, 0.1, other_data=True)


def test_a_baseline_on_little_data_decides_nothing() -> None:
    now = report(layer(shares()))
    few = replace(now, data=replace(now.data, distinct=3))
    judged = judge_again(now, {}, few, 0.1)
    assert [gate.passed for gate in judged.gates] == [None]
    assert judged.verdict == "inconclusive"
    assert "the baseline report is of too few data" in judged.reason
