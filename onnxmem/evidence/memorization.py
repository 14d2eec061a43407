"""How many training samples a network fits although their neighbours have another label.

The share follows the generalization gap without held-out data. That a sample is memorized does not
say that its label is wrong.
"""

from __future__ import annotations

import numpy as np

from onnxmem.evidence.facts import Facts, margins
from onnxmem.records import Estimate

EDGE = 1e-6
"""A margin below this is rounding."""

STRONG = 0.3
"""The margin from which on a sample is strongly memorized."""

_DRAWS = 1000


def memorized(facts: Facts, votes: np.ndarray, margin: float = EDGE) -> np.ndarray:
    """Return which samples are fitted against the votes, by more than a margin (samples,)."""
    return np.asarray(facts.fitted & (margins(votes, facts.labels) > margin))


def memorized_share(facts: Facts) -> Estimate:
    """Return the share of samples that are memorized, by the early layers."""
    return estimate_share(memorized(facts, facts.early_votes), facts.seed)


def strong_share(facts: Facts) -> Estimate:
    """Return the share of samples that are strongly memorized, by the early layers."""
    return estimate_share(memorized(facts, facts.early_votes, STRONG), facts.seed)


def estimate_share(chosen: np.ndarray, seed: int) -> Estimate:
    """Return the share of samples that are `chosen` (samples,), with a bootstrap interval.

    To draw samples again is to draw how many of them are chosen.
    """
    share = float(chosen.mean())
    drawn = np.random.default_rng([seed, 0x5A1E]).binomial(len(chosen), share, _DRAWS)
    low, high = np.percentile(drawn / len(chosen), [2.5, 97.5])
    return Estimate(share, min(float(low), share), max(float(high), share))
