"""The families of shipped networks: which data, which architecture, which schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from .datasets import VOWEL_FRAMES, Dataset, mnist, mnist1d, vowels
from .networks import cnn, mlp
from .training import Schedule

NOISE = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Family:
    """One recipe for every share of label noise.

    `early` maps a share p to an epoch whose network is kept as well, as an early checkpoint.
    """

    name: str
    recipe: str
    dataset: Callable[[], Dataset]
    network: Callable[[], nn.Sequential]
    schedule: Schedule
    early: dict[float, int]

    def describe(self) -> str:
        """Return the recipe in one line."""
        schedule = self.schedule
        return (
            f"{self.recipe}; Adam {schedule.learning_rate:g}, batches of {schedule.batch}; "
            f"at least {schedule.shortest} epochs, until the training accuracy is "
            f"{schedule.target:.1%}"
        )


FAMILIES = (
    Family(
        "mnist-cnn",
        "VGG-like, 8 convolutions 3x3 (16 16 24 24 32 32 40 40) with BatchNorm, one hidden layer",
        mnist,
        lambda: cnn(10),
        Schedule(batch=50, learning_rate=1e-3, target=0.999, shortest=40, longest=200),
        {0.4: 4},
    ),
    Family(
        "mnist1d-mlp",
        "MLP, 40 inputs, three hidden layers of 128",
        mnist1d,
        lambda: mlp(40, (128, 128, 128), 10),
        Schedule(batch=50, learning_rate=1e-3, target=0.999, shortest=1, longest=500),
        {},
    ),
    Family(
        "vowels-mlp",
        "MLP, 144 inputs, three hidden layers of 100",
        vowels,
        lambda: mlp(12 * VOWEL_FRAMES, (100, 100, 100), 9),
        Schedule(batch=50, learning_rate=1e-3, target=0.999, shortest=1, longest=500),
        {},
    ),
)
