"""Wrong labels are found where they are, and not where they are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_facts import draw_facts

from onnxmem.evidence.label_noise import FOUND, label_noise, suspects
from onnxmem.evidence.memorization import memorized_share


@pytest.mark.parametrize("noise", [0.06, 0.2, 0.4, 0.7])
def test_noise_is_found_and_its_share_lies_in_the_range(noise: float) -> None:
    facts, wrong = draw_facts(noise, clarity=20)
    found = label_noise(facts)
    assert found.found is True
    assert found.low is not None and found.high is not None and found.estimate is not None
    assert found.low - 0.02 <= wrong.mean() <= found.high + 0.02
    assert found.estimate == pytest.approx(wrong.mean(), abs=0.08)


def test_no_noise_is_found_without_any() -> None:
    found = label_noise(draw_facts(0.0)[0])
    assert found.found is False
    assert found.floor is not None and found.floor < FOUND


@pytest.mark.parametrize("classes", [2, 3])
def test_few_classes_leave_it_undecided(classes: int) -> None:
    found = label_noise(draw_facts(0.2, classes=classes)[0])
    assert found.found is None
    assert (found.floor, found.estimate, found.low, found.high) == (None, None, None, None)
    assert f"{classes} classes are too few" in found.reason


def test_classes_that_overlap_leave_it_undecided() -> None:
    facts, _ = draw_facts(0.0, clarity=1.0)
    assert memorized_share(facts).value > 0.5
    found = label_noise(facts)
    assert found.found is None
    assert "overlap" in found.reason


@pytest.mark.parametrize("fitted", [0.0, 1.0])
def test_noise_that_was_not_memorized_is_told_apart(fitted: float) -> None:
    facts, wrong = draw_facts(0.2, clarity=20, fitted=fitted)
    found = label_noise(facts)
    assert found.found is True
    assert found.suspects_fitted == pytest.approx(fitted, abs=0.25)
    assert suspects(facts)[wrong].mean() > 0.8


def test_without_suspects_nobody_fitted_them() -> None:
    facts, _ = draw_facts(0.0, clarity=1000)
    agreeing = np.eye(facts.classes, dtype=np.float32)[facts.labels]
    assert label_noise(replace(facts, early_votes=agreeing)).suspects_fitted is None
