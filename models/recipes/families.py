"""The families of shipped networks: which data, which architecture, which trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from .datasets import VOWEL_FRAMES, Dataset, mnist, mnist1d, vowels
from .networks import cnn, mlp
from .rules import Bilevel, Mixup, Plain, Rule, TiedDropout
from .training import Schedule

NOISE = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
CHECKPOINTS = (1, 2, 3, 4, 6, 9, 14, 22)

TO_THE_END = Schedule(batch=50, learning_rate=1e-3, target=0.999, shortest=1, longest=500)
CNN_TO_THE_END = Schedule(batch=50, learning_rate=1e-3, target=0.999, shortest=40, longest=200)


@dataclass(frozen=True, slots=True)
class Course:
    """One training: the share p of replaced labels, and the rule by which they are learned.

    `kept` maps epochs whose networks are kept on the way to what is added to their names; `suffix`
    is added to the name of the last one. `rule` is made for a number of training samples;
    `described` says it in words.
    """

    p: float
    suffix: str = ""
    kept: Mapping[int, str] = field(default_factory=dict)
    rule: Callable[[int], Rule] = lambda samples: Plain()
    described: str = ""
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """Networks of one architecture, of which one thing varies: labels, training or epoch.

    `data` is what the names of its data files begin with, which are those of other families where
    these have the same labels; `init` is added to the seed of weights and batches, not of labels.
    """

    name: str
    varies: Literal["labels", "training", "epoch"]
    recipe: str
    dataset: Callable[[], Dataset]
    network: Callable[[], nn.Sequential]
    schedule: Schedule
    courses: tuple[Course, ...]
    data: str
    init: int = 0

    def describe(self, course: Course) -> str:
        """Return the recipe in one line."""
        schedule = course.schedule or self.schedule
        rule = f"{course.described}; " if course.described else ""
        return (
            f"{self.recipe}; {rule}Adam {schedule.learning_rate:g}, batches of {schedule.batch}; "
            f"{schedule.length()}"
        )


def _by_noise(*shares: float, early: Mapping[float, int] | None = None) -> tuple[Course, ...]:
    """Return a course for each share; of some an early checkpoint is kept as well."""
    epochs = early or {}
    return tuple(Course(p, kept={epochs[p]: "-early"} if p in epochs else {}) for p in shares)


def _fixed(epochs: int, batch: int = 50) -> Schedule:
    return Schedule(batch, learning_rate=1e-3, target=0.0, shortest=epochs, longest=epochs)


CNN = "VGG-like, 8 convolutions 3x3 (16 16 24 24 32 32 40 40) with BatchNorm, one hidden layer"
VOWELS_MLP = "MLP, 144 inputs, three hidden layers of 100"

FAMILIES = (
    Family(
        "mnist-cnn",
        "labels",
        CNN,
        mnist,
        lambda: cnn(10),
        CNN_TO_THE_END,
        _by_noise(*NOISE, early={0.4: 4}),
        data="mnist-cnn",
    ),
    Family(
        "mnist-cnn-gelu",
        "labels",
        f"{CNN}; GELU in place of ReLU",
        mnist,
        lambda: cnn(10, activation=nn.GELU),
        replace(CNN_TO_THE_END, shortest=20),
        _by_noise(0.0, 0.2, 0.6),
        data="mnist-cnn",
    ),
    Family(
        "mnist-course",
        "epoch",
        "VGG-like, 8 convolutions 3x3 (12 12 16 16 20 20 24 24) with BatchNorm, hidden layer of 32",
        mnist,
        lambda: cnn(10, (12, 16, 20, 24), hidden=32),
        _fixed(40),
        (Course(0.2, "-e40", {epoch: f"-e{epoch:02d}" for epoch in CHECKPOINTS}),),
        data="mnist-cnn",
    ),
    Family(
        "mnist-mlp",
        "training",
        "MLP, 28 x 28 inputs, three hidden layers of 64",
        mnist,
        lambda: mlp(28 * 28, (64, 64, 64), 10, images=True),
        _fixed(60),
        (
            Course(0.4, kept={4: "-early"}, schedule=replace(TO_THE_END, shortest=60)),
            Course(
                0.4,
                "-mixup",
                rule=lambda samples: Mixup(alpha=1.0),
                described="mixup with Beta(1, 1)",
            ),
            Course(
                0.4,
                "-bilevel",
                rule=lambda samples: Bilevel(),
                described="bilevel weighting: 8 batches of 10 against one of 50",
                schedule=_fixed(60, batch=130),
            ),
            Course(
                0.4,
                "-tied",
                rule=TiedDropout,
                described="example-tied dropout, generalizing share 0.4, probability 0.1",
            ),
        ),
        data="mnist-cnn",
    ),
    Family(
        "mnist1d-mlp",
        "labels",
        "MLP, 40 inputs, three hidden layers of 128",
        mnist1d,
        lambda: mlp(40, (128, 128, 128), 10),
        TO_THE_END,
        _by_noise(*NOISE),
        data="mnist1d-mlp",
    ),
    Family(
        "vowels-mlp",
        "labels",
        VOWELS_MLP,
        vowels,
        lambda: mlp(12 * VOWEL_FRAMES, (100, 100, 100), 9),
        TO_THE_END,
        _by_noise(*NOISE),
        data="vowels-mlp",
    ),
    Family(
        "vowels-mlp-init1",
        "labels",
        f"{VOWELS_MLP}; as vowels-mlp with other initial weights and batches",
        vowels,
        lambda: mlp(12 * VOWEL_FRAMES, (100, 100, 100), 9),
        TO_THE_END,
        _by_noise(0.0, 0.4, 1.0),
        data="vowels-mlp",
        init=1,
    ),
)
