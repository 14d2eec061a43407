"""Where on the way through the network neighbours come to agree with labels.

Source: for the depth of a sample Baldock, Maennel & Neyshabur (2021), Deep Learning Through the
Lens of Example Difficulty.
"""

from __future__ import annotations

import numpy as np

from onnxmem.evidence.facts import Facts, LayerFacts
from onnxmem.evidence.label_noise import suspects
from onnxmem.records import LayerEvidence


def agreements(facts: Facts, chosen: np.ndarray | None = None) -> tuple[LayerEvidence, ...]:
    """Return for each layer the shares of samples whose neighbours favour their label.

    `chosen` (samples,) tells which are the suspects; None takes those that neighbours suspect.
    """
    chosen = suspects(facts) if chosen is None else chosen
    return tuple(_agreement(layer, facts, chosen) for layer in facts.layers)


def _agreement(layer: LayerFacts, facts: Facts, chosen: np.ndarray) -> LayerEvidence:
    own = layer.favourite == facts.labels
    held, found = facts.held_out, layer.held_out_favourite
    return LayerEvidence(
        tensor=layer.tensor,
        own_agreement=float(own.mean()),
        suspects_agreement=float(own[chosen].mean()) if chosen.any() else None,
        held_out_agreement=(
            None if held is None or found is None else float(np.mean(found == held.predictions))
        ),
    )


def depths(facts: Facts) -> np.ndarray:
    """Return after how many layers neighbours favour each sample's label for good (samples,).

    0 is the input, the number of layers stands for never.
    """
    agrees = np.stack([layer.favourite == facts.labels for layer in facts.layers])
    settled = np.logical_and.accumulate(agrees[::-1], axis=0)
    return np.asarray(len(agrees) - settled.sum(axis=0))
