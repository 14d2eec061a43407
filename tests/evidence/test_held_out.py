"""Other inputs, and what their neighbours say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_facts import draw_facts

from onnxmem.evidence.facts import HeldOut
from onnxmem.evidence.held_out import held_out_accuracy, held_out_disagreement
from onnxmem.evidence.measures import measure


def test_nothing_is_told_without_other_inputs() -> None:
    facts, _ = draw_facts(0.0)
    assert held_out_disagreement(facts) is None
    assert held_out_accuracy(facts) is None


def test_disagreement_needs_no_labels() -> None:
    facts, _ = draw_facts(0.0)
    votes = np.eye(10, dtype=np.float32)[[0, 1, 2, 3]]
    held = replace(facts, held_out=HeldOut(np.array([0, 1, 9, 9]), votes))
    found = measure(held)
    assert found.held_out_disagreement is not None
    assert found.held_out_disagreement.value == 0.5
    assert (found.held_out_samples, found.held_out_accuracy) == (4, None)


def test_accuracy_is_known_where_labels_are() -> None:
    facts, _ = draw_facts(0.0)
    held = HeldOut(np.array([0, 1, 9]), np.eye(10, dtype=np.float32)[:3], np.array([0, 1, 2]))
    assert held_out_accuracy(replace(facts, held_out=held)) == pytest.approx(2 / 3)
