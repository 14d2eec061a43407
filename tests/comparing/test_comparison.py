"""Differences of scores, and intervals that know that the samples are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxmem.comparing.comparison import compare
from onnxmem.compression import curve
from onnxmem.errors import DataError, UsageError
from onnxmem.records import (
    SCHEMA,
    Baseline,
    Cell,
    Comparison,
    Curve,
    DataInfo,
    Group,
    Layer,
    ModelInfo,
    Report,
    Score,
    Tool,
)

GROUPS, EACH = 6, 10
SEED = 3


def scored(
    shares: np.ndarray, name: str = "relu", bound: float = 0.0, saturated: bool = False
) -> Layer:
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
        auc_low=max(0.0, auc - 0.05),
        auc_high=min(1.0, auc + 0.05),
        auc_relative=auc,
        auc_bound=bound,
        saturated=saturated,
        groups=groups,
        sample_auc=curve.pack(shares),
    )
    status = "saturated" if saturated else "scored"
    return Layer(name, "Relu", 0, (None, 8), 1, status, "", None, (one,))


def report(*layers: Layer, path: str = "a.onnx", batches: str = "same") -> Report:
    curves = [one for layer in layers for one in layer.curves]
    live = [one.auc for one in curves if not one.saturated]
    mean = float(np.mean(live)) if live else None
    score = Score(mean, mean, mean, len(live), len(curves) - len(live))
    return Report(
        schema=SCHEMA,
        tool=Tool("onnxmem", "0"),
        model=ModelInfo(path, "0" * 64, 8, 17, "test"),
        data=DataInfo("d.npz", "1" * 64, GROUPS * EACH, GROUPS, GROUPS * EACH, batches=batches),
        settings={"seed": SEED, "ranks": "auto"},
        environment={},
        baseline=Baseline("top1", 1.0, 0.1),
        layers=layers,
        summary={"nmf.mixed": score},
        gates=(),
        verdict="none",
        reason="",
    )


def second(comparison: Comparison) -> Cell:
    cell = comparison.layers[0].scores["nmf.mixed"][1]
    assert cell is not None
    return cell


def shares(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.9, GROUPS * EACH)


def test_a_difference_is_resampled_with_the_weights_of_the_audit() -> None:
    one, two = shares(0), shares(1)
    cell = second(compare([report(scored(one)), report(scored(two))]))
    groups = np.arange(GROUPS * EACH).reshape(GROUPS, EACH)
    low, high = curve.interval(curve.resample(list(groups), SEED) @ (two - one))
    assert cell.difference == pytest.approx(two.mean() - one.mean())
    assert (cell.difference_low, cell.difference_high) == pytest.approx((low, high), abs=1e-4)
    assert cell.apart is (low > 0 or high < 0)


def test_pairs_tell_apart_what_overlapping_intervals_do_not() -> None:
    one = shares(0)
    first, other = report(scored(one)), report(scored(one + 0.03))
    cell = second(compare([first, other]))
    low = other.layers[0].curves[0].auc_low
    assert low < first.layers[0].curves[0].auc_high
    assert cell.apart is True
    assert (cell.difference_low, cell.difference_high) == pytest.approx((0.03, 0.03), abs=1e-4)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(-0.1, 0.1))
def test_the_interval_holds_the_difference_and_turns_with_the_order(seed: int, by: float) -> None:
    one, two = shares(seed), np.clip(shares(seed + 1) + by, 0, 1)
    there = second(compare([report(scored(one)), report(scored(two))]))
    back = second(compare([report(scored(two)), report(scored(one))]))
    assert there.difference is not None and back.difference == pytest.approx(-there.difference)
    assert there.difference_low is not None and there.difference_high is not None
    assert there.difference_low <= there.difference <= there.difference_high
    assert back.difference_low == pytest.approx(-there.difference_high)
    assert back.apart is there.apart


def test_the_same_network_twice_is_not_apart() -> None:
    cell = second(compare([report(scored(shares(0)))] * 2))
    assert (cell.difference, cell.difference_low, cell.difference_high) == (0, 0, 0)
    assert cell.apart is False


def test_ranks_that_were_left_out_widen_the_interval() -> None:
    one = shares(0)
    layers = scored(one, bound=0.004), scored(one + 0.006, bound=0.005)
    cell = second(compare([report(layers[0]), report(layers[1])]))
    assert (cell.difference_low, cell.difference_high) == pytest.approx((-0.003, 0.015), abs=1e-4)
    assert cell.apart is False


def test_a_mean_differs_over_the_layers_that_both_have() -> None:
    ceiling = np.full(GROUPS * EACH, 1.0)
    one, two = shares(0), shares(1)
    first = report(scored(one, "a"), scored(ceiling, "b", saturated=True))
    other = report(scored(two, "a"), scored(two, "b"))
    cell = compare([first, other]).summary["nmf.mixed"][1]
    assert cell is not None
    assert cell.layers == 1
    assert cell.difference == pytest.approx(two.mean() - one.mean())


@pytest.mark.parametrize("text", ["", "AAA=", "?", curve.pack(np.zeros(4))])
def test_without_what_the_samples_add_there_is_no_interval(text: str) -> None:
    layer = scored(shares(0))
    bare = replace(layer, curves=(replace(layer.curves[0], sample_auc=text),))
    cell = second(compare([report(bare), report(scored(shares(1)))]))
    assert cell.difference is not None
    assert (cell.difference_low, cell.difference_high, cell.apart) == (None, None, None)


def test_without_known_batches_there_is_no_interval() -> None:
    reports = [report(scored(shares(i)), batches="") for i in range(2)]
    assert second(compare(reports)).apart is None


def test_other_batches_are_not_compared() -> None:
    with pytest.raises(
        UsageError, match=r"reports of a\.onnx.* and a\.onnx.* cannot .*batches differ"
    ):
        compare([report(scored(shares(0))), report(scored(shares(0)), batches="other")])


def test_groups_by_own_predictions_are_told_from_other_data() -> None:
    reports = [report(scored(shares(0)), batches=name) for name in ("one", "other")]
    fidelity = [replace(one, baseline=replace(one.baseline, metric="fidelity")) for one in reports]
    with pytest.raises(UsageError, match="own predictions group its samples; compare the models"):
        compare(fidelity)


def test_other_data_are_compared_where_the_caller_knows_better() -> None:
    first, other = report(scored(shares(0))), report(scored(shares(1)))
    other = replace(other, data=replace(other.data, sha256="2" * 64))
    with pytest.raises(UsageError, match="data differ"):
        compare([first, other])
    assert second(compare([first, other], same_data=True)).apart is not None


def test_a_comparison_comes_back_from_its_dictionary() -> None:
    made = compare([report(scored(shares(i))) for i in range(3)], notes=["a note"])
    assert Comparison.from_dict(made.to_dict()) == made


def test_rows_that_do_not_fit_the_models_are_refused() -> None:
    values = compare([report(scored(shares(i))) for i in range(2)]).to_dict()
    values["summary"]["nmf.mixed"].append(None)
    with pytest.raises(DataError, match="length"):
        Comparison.from_dict(values)


@pytest.mark.parametrize("count", [0, 1])
def test_one_report_cannot_be_compared(count: int) -> None:
    with pytest.raises(UsageError, match="give two reports"):
        compare([report()] * count)
