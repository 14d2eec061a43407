"""From curves to scores, from scores to gates, from all of it to a verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onnxmem.auditing import Settings, verdict
from onnxmem.compression.layer import Measured
from onnxmem.records import Baseline, Curve, CutInfo, Gate, Group, Layer, Score

SETTINGS = Settings(compress=("nmf",), batch=("mixed",))
SCORED = Score(0.5, 0.45, 0.55, 2, 0)
NOTHING = Score(None, None, None, 0, 2)


def layer(auc: float, *, saturated: bool = False, spread: float = 0.05) -> Measured:
    curve = Curve(
        compressor="nmf",
        batch="mixed",
        x_name="rank",
        x=(1, 2),
        accuracy=(auc, auc),
        error=(0.5, 0.0),
        auc=auc,
        auc_low=auc - spread,
        auc_high=auc + spread,
        auc_relative=auc,
        auc_bound=0.0,
        saturated=saturated,
        groups=(Group(0, 10, (auc, auc), auc),),
    )
    status = "saturated" if saturated else "scored"
    record = Layer("t", "Relu", 0, (None, 3), 1, status, "", CutInfo((), 0.0), (curve,))
    return Measured(record, {"nmf.mixed": np.linspace(auc - spread, auc + spread, 1001)})


def test_score_is_the_mean_of_what_is_not_saturated() -> None:
    layers = [layer(0.2), layer(0.6), layer(1.0, saturated=True)]
    score = verdict.summarize(layers, SETTINGS)["nmf.mixed"]
    assert score.auc == pytest.approx(0.4)
    assert (score.layers_scored, score.layers_saturated) == (2, 1)
    assert score.auc_low == pytest.approx(0.3525)
    assert score.auc_high == pytest.approx(0.4475)


def test_saturated_alone_gives_no_score() -> None:
    score = verdict.summarize([layer(1.0, saturated=True)], SETTINGS)["nmf.mixed"]
    assert score == Score(None, None, None, 0, 1)


OPEN = layer(0.5)
NO_CURVES = replace(OPEN.layer, status="skipped", reason="the cut fails its self-check", curves=())
BROKEN = Measured(NO_CURVES, {}, failed=True)
SKIPPED = Measured(replace(NO_CURVES, reason="no axis", cut=None), {})
PASSED, FAILED, UNDECIDED = (Gate("nmf.mixed", 0.5, 0.5, passed) for passed in (True, False, None))


@pytest.mark.parametrize(
    ("layers", "score", "gates", "outcome", "words"),
    [
        ([OPEN], SCORED, [], "none", "no gate"),
        ([OPEN], SCORED, [PASSED], "pass", "all gates passed"),
        ([OPEN], SCORED, [PASSED, FAILED], "fail", "below 0.5"),
        ([OPEN], SCORED, [UNDECIDED], "inconclusive", "nmf.mixed"),
        ([OPEN, SKIPPED], SCORED, [PASSED], "pass", ""),
        ([OPEN, BROKEN], SCORED, [PASSED], "inconclusive", "self-check"),
        ([OPEN, BROKEN], SCORED, [], "inconclusive", "self-check"),
        ([SKIPPED], NOTHING, [], "inconclusive", "no axis"),
        ([OPEN], NOTHING, [], "inconclusive", "saturated"),
    ],
)
def test_failed_gates_come_before_failed_layers_and_these_before_passed_gates(
    layers: list[Measured], score: Score, gates: list[Gate], outcome: str, words: str
) -> None:
    result, reason = verdict.decide("", layers, {"nmf.mixed": score}, gates)
    assert result == outcome
    assert words in reason
    assert "\n" not in reason


def test_doubt_of_the_baseline_goes_first() -> None:
    result = verdict.decide("at chance", [OPEN], {"nmf.mixed": SCORED}, [FAILED])
    assert result == ("inconclusive", "at chance")


@pytest.mark.parametrize(
    ("value", "chance", "said"), [(0.54, 0.1, True), (0.56, 0.1, False), (0.7, 0.5, True)]
)
def test_baseline_nearer_to_guessing_than_to_one_calls_for_caution(
    value: float, chance: float, said: bool
) -> None:
    caution = verdict.caution_baseline(Baseline("top1", value, chance), "other labels fit")
    assert bool(caution) is said
    assert not said or caution.endswith("; other labels fit")


def test_fidelity_is_in_doubt_only_where_one_class_is_predicted() -> None:
    assert verdict.doubt_baseline(Baseline("fidelity", 1.0, 0.99), 100, SETTINGS) == ""
    one_class = Baseline("fidelity", 1.0, 1.0)
    assert "predicts one class" in verdict.doubt_baseline(one_class, 100, SETTINGS)
