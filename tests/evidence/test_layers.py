"""Where neighbours come to agree with labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from evidence_facts import draw_facts
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.evidence.facts import Facts, HeldOut, LayerFacts
from onnxmem.evidence.layers import agreements, depths


def with_favourites(rows: list[list[bool]]) -> Facts:
    """Return facts of layers whose neighbours favour the label of each sample, or do not."""
    facts, _ = draw_facts(0.0, samples=len(rows[0]), layers=len(rows))
    layers = tuple(
        LayerFacts(str(number), np.where(row, facts.labels, (facts.labels + 1) % 10),
                   np.zeros(len(row)))
        for number, row in enumerate(rows)
    )  # fmt: skip
    return replace(facts, layers=layers)


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=6))
def test_depth_is_the_first_layer_from_which_all_agree(rows: list[list[bool]]) -> None:
    found = depths(with_favourites(rows))
    for sample, depth in enumerate(found.tolist()):
        column = [row[sample] for row in rows]
        assert all(column[depth:])
        assert depth == 0 or not column[depth - 1]


def test_agreement_is_a_share_for_each_layer() -> None:
    facts = with_favourites([[False, False, True, True], [True, True, True, True]])
    assert [layer.own_agreement for layer in agreements(facts)] == [0.5, 1.0]
    assert [layer.held_out_agreement for layer in agreements(facts)] == [None, None]


def test_held_out_samples_are_held_against_what_the_network_says() -> None:
    facts = with_favourites([[True, True]])
    held = HeldOut(np.array([1, 2, 3]), np.zeros((3, 10), np.float32))
    (layer,) = facts.layers
    layer = replace(layer, held_out_favourite=np.array([1, 2, 9]))
    (found,) = agreements(replace(facts, layers=(layer,), held_out=held))
    assert found.held_out_agreement == 2 / 3
