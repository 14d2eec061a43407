"""What guessing reaches on given labels, and which accuracies are more than that."""

from __future__ import annotations

import math

import numpy as np


def chance_accuracy(labels: np.ndarray) -> float:
    """Return the accuracy of always naming the most frequent class of `labels` (samples,)."""
    return float(np.unique(labels, return_counts=True)[1].max() / len(labels))


def most_by_chance(chance: float, samples: int, errors: float) -> float:
    """Return the accuracy that lies so many standard errors above that of guessing, `chance`."""
    return chance + errors * math.sqrt(chance * (1 - chance) / samples)


def at_chance(value: float, chance: float, samples: int) -> bool:
    """Tell whether the accuracy is what guessing could give: within two standard errors."""
    return value <= most_by_chance(chance, samples, 2)
