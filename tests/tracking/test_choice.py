"""Resamples of the choice are paired, and tell how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.records import Estimate
from onnxmem.tracking.choice import choose, resampled
from onnxmem.tracking.standing import HeldOutStanding, Standing


def standing(name: str, agrees: np.ndarray, right: np.ndarray | None = None) -> Standing:
    return Standing(
        path=name,
        sha256="",
        fitted=np.ones(3, bool),
        margin=np.zeros(3),
        memorized_share=Estimate(0, 0, 0),
        held_out=HeldOutStanding({"relu": float(agrees.mean())}, agrees, right),
    )


def test_checkpoints_are_resampled_alike() -> None:
    values = np.random.default_rng(0).random((1, 50))
    drawn = resampled(np.concatenate([values, values + 0.25]), 0)
    np.testing.assert_allclose(drawn[:, 1] - drawn[:, 0], 0.25)
    assert drawn[:, 0].std() == pytest.approx(values.std() / np.sqrt(50), rel=0.1)


def test_the_first_of_equal_ones_is_kept() -> None:
    agrees = np.random.default_rng(0).random(40)
    choice, _ = choose([standing(name, agrees) for name in "ab"], 0)
    assert choice is not None and choice.lead is not None
    assert (choice.path, choice.runner_up, choice.lead.value) == ("a", "b", 0.0)
    assert choice.repeated == 1.0


def test_a_clear_choice_is_repeated_and_a_close_one_is_not() -> None:
    rng = np.random.default_rng(0)
    low, high, close = (rng.random(60) < share for share in (0.3, 0.9, 0.9))
    clear, _ = choose([standing("low", low * 1.0), standing("high", high * 1.0)], 0)
    assert clear is not None and clear.lead is not None
    assert (clear.path, clear.repeated) == ("high", 1.0) and clear.lead.low > 0
    doubtful, _ = choose([standing("one", close * 1.0), standing("two", high * 1.0)], 0)
    assert doubtful is not None and doubtful.lead is not None
    assert 0.3 < doubtful.repeated < 0.95 and doubtful.lead.low < 0


def test_costs_are_told_by_labels() -> None:
    agrees = np.ones(10)
    right = [np.arange(10) < count for count in (6, 8, 5)]
    course = [standing(name, agrees * (1 - 0.1 * k), right[k]) for k, name in enumerate("abc")]
    choice, _ = choose(course, 0)
    assert choice is not None and choice.runner_up_cost is not None
    assert choice.path == "a"
    assert choice.runner_up_cost.value == pytest.approx(-0.2)
    assert choice.regret == pytest.approx(0.2)
    assert choice.last_regret == pytest.approx(0.3)
