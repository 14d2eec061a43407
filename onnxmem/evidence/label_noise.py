"""Are labels wrong? By how far down the given labels stand among what neighbours say.

Where labels are random that level is uniform. So the share of samples whose label stands in the
last quarter, times four, bounds the share of random labels from above for one layer; among random
labels one in every number of classes is right.

Source: Storey (2002), A direct approach to false discovery rates, for the share of uniform levels.
"""

from __future__ import annotations

import numpy as np

from onnxmem.evidence.facts import Facts, levels, margins, own_votes
from onnxmem.evidence.memorization import EDGE, memorized_share
from onnxmem.records import LabelNoise

FOUND = 0.04
"""From this floor on noise is found: by 0 of 19 networks without, by all 66 with 0.07 and more."""

FEWEST_CLASSES = 4

_LAMBDA = 0.75
_OVERLAPPING = 0.5
"""A memorized share above which a floor below half of it may come of classes that overlap."""


def label_noise(facts: Facts) -> LabelNoise:
    """Return whether labels are wrong, and about how many."""
    if facts.classes < FEWEST_CLASSES:
        return _undecided(f"{facts.classes} classes are too few to tell noise from overlap", facts)
    estimates = _estimates(facts)
    floor = estimates[0]
    share = memorized_share(facts).value
    if share > _OVERLAPPING and floor < share / 2:
        return _undecided(
            "neighbours contradict most labels, but not evenly: classes overlap, or there are too "
            "few samples",
            facts,
        )
    return LabelNoise(
        found=bool(floor >= FOUND),
        reason="",
        floor=floor,
        estimate=float(np.median(estimates)),
        low=min(estimates),
        high=max(estimates),
        suspects_fitted=suspects_fitted(facts),
    )


def suspects(facts: Facts) -> np.ndarray:
    """Return the samples whose neighbours at the early layers have another label (samples,)."""
    return np.asarray(margins(facts.early_votes, facts.labels) > EDGE)


def suspects_fitted(facts: Facts) -> float | None:
    """Return the share of the suspects whose label the network predicts, None without any."""
    chosen = suspects(facts)
    return float(facts.fitted[chosen].mean()) if chosen.any() else None


def _undecided(reason: str, facts: Facts) -> LabelNoise:
    return LabelNoise(None, reason, None, None, None, None, suspects_fitted(facts))


def _estimates(facts: Facts) -> list[float]:
    """Return five estimates of the share of wrong labels, the lowest of single layers first."""
    floor = min(_storey(layer.level, facts.classes) for layer in facts.layers[: facts.early])
    votes = (facts.early_votes, facts.first_votes, facts.input_votes)
    means = (levels(one, facts.labels, facts.seed) for one in votes)
    return [floor, *(_storey(one, facts.classes) for one in means), _mixture(facts)]


def _storey(level: np.ndarray, classes: int) -> float:
    """Return the share of wrong labels where `level` (samples,) is uniform for random ones."""
    random = min(1.0, float((level > _LAMBDA).mean()) / (1 - _LAMBDA))
    return random * (classes - 1) / classes


def _mixture(facts: Facts) -> float:
    """Return the share of wrong labels, from how much less votes own labels have than favourites.

    A right label has the mean votes of the favourite, a wrong one those of any other.
    """
    top = float(facts.all_votes.max(axis=1).mean())
    own = float(own_votes(facts.all_votes, facts.labels).mean())
    rest = (1 - top) / (facts.classes - 1)
    return float(np.clip((top - own) / (top - rest), 0.0, 1.0)) if top > rest else 0.0
