"""Does the network say of other inputs what the neighbours of these say?

Needs no labels of theirs. Source: Cohen, Sapiro & Giryes (2018), DNN or k-NN.
"""

from __future__ import annotations

import numpy as np

from onnxmem.evidence.facts import Facts
from onnxmem.evidence.memorization import estimate_share
from onnxmem.records import Estimate


def held_out_disagreement(facts: Facts) -> Estimate | None:
    """Return the share of held-out inputs to which the network says something else.

    What neighbours say is the class with most of their votes, mean over all layers.
    """
    held = facts.held_out
    if held is None:
        return None
    return estimate_share(held.votes.argmax(axis=1) != held.predictions, facts.seed)


def held_out_accuracy(facts: Facts) -> float | None:
    """Return the accuracy on held-out samples, None where their labels are not known."""
    held = facts.held_out
    if held is None or held.labels is None:
        return None
    return float(np.mean(held.labels == held.predictions))
