"""The share of samples that are fitted against their neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_facts import draw_facts

from onnxmem.evidence.memorization import estimate_share, memorized_share, strong_share


def test_memorized_are_wrong_labels_that_are_fitted() -> None:
    facts, wrong = draw_facts(0.3, clarity=50)
    assert memorized_share(facts).value == pytest.approx(wrong.mean(), abs=0.05)
    assert strong_share(facts).value <= memorized_share(facts).value


def test_what_is_not_fitted_is_not_memorized() -> None:
    facts, _ = draw_facts(0.3, clarity=50)
    unfitted = replace(facts, predictions=(facts.labels + 1) % facts.classes)
    assert memorized_share(unfitted).value == 0


def test_the_interval_holds_the_share_and_shrinks_with_samples() -> None:
    few, many = (estimate_share(np.arange(count) % 4 == 0, seed=0) for count in (40, 4000))
    for one in (few, many):
        assert one.low <= one.value <= one.high
    assert many.high - many.low < (few.high - few.low) / 5


@pytest.mark.parametrize("value", [False, True])
def test_none_and_all_have_intervals_of_a_point(value: bool) -> None:
    share = estimate_share(np.full(50, value), seed=0)
    assert (share.value, share.low, share.high) == (value, value, value)
