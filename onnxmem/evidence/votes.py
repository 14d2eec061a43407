"""What the neighbours of each sample say of its class: one vote for each neighbour, near ones more.

Source: Cohen, Sapiro & Giryes (2018), DNN or k-NN: That is the Generalize vs. Memorize Question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from onnxmem.neighbours import Nearest

NEIGHBOURS = 20

FEW = 10
"""Neighbours that are counted alike."""

_SAME = 1e-6
"""Distances 1 - cosine below this are rounding."""

_BLOCK = 4096
"""Samples whose votes are counted at once."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of different contents; a content that is there several times may have several.

    Attributes:
        starts: (contents + 1,) where the labels of each content begin in the other two.
        labels: (entries,) places of classes.
        shares: (entries,) the share of the content's copies that have the label.
        classes: how many classes there are.
    """

    starts: np.ndarray
    labels: np.ndarray
    shares: np.ndarray
    classes: int

    @classmethod
    def of(cls, contents: np.ndarray, labels: np.ndarray, classes: int) -> Labels:
        """Return the labels of contents 0, 1, ... from those of all samples.

        Args:
            contents: (samples,) the content of each; all from 0 on are there.
            labels: (samples,) places of classes.
            classes: how many there are.
        """
        pairs, counts = np.unique(contents * classes + labels, return_counts=True)
        owners = pairs // classes
        copies = np.bincount(owners, counts)
        starts = np.concatenate([[0], np.cumsum(np.bincount(owners))])
        return cls(starts, pairs % classes, counts / copies[owners], classes)

    def spread(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return for contents `rows` (m,) whose each entry is, its label and its share (n >= m)."""
        counts = self.starts[rows + 1] - self.starts[rows]
        owners = np.repeat(np.arange(len(rows)), counts)
        entries = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        entries += np.repeat(self.starts[rows], counts)
        return owners, self.labels[entries], self.shares[entries]


def weigh(cosine: np.ndarray) -> np.ndarray:
    """Return the weight of each neighbour (n, k), which sum to 1 for each sample.

    It is exp(-(d / mean d)^2) with d = sqrt(1 - cosine).

    Args:
        cosine: (n, k) of the angle to each neighbour.
    """
    apart = 1.0 - cosine.astype(np.float64)
    distance = np.sqrt(np.where(apart < _SAME, 0.0, apart))
    mean = distance.mean(axis=1, keepdims=True)
    weights = np.exp(-np.square(distance / np.where(mean > 0, mean, 1.0)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def count_votes(nearest: Nearest, labels: Labels) -> np.ndarray:
    """Return the share of the neighbours' weight on each class, (queries, classes) float32.

    Args:
        nearest: the neighbours of each query among contents.
        labels: of these contents.
    """
    votes = np.empty((len(nearest), labels.classes), np.float32)
    for part in _blocks(len(nearest)):
        rows, weights = nearest.rows[part], weigh(nearest.cosine[part])
        owners, classes, shares = labels.spread(rows.ravel())
        queries = owners // rows.shape[1]
        counted = np.bincount(
            queries * labels.classes + classes,
            weights.ravel()[owners] * shares,
            minlength=len(rows) * labels.classes,
        )
        votes[part] = counted.reshape(len(rows), labels.classes)
    return votes


def majority(nearest: Nearest, labels: Labels) -> np.ndarray:
    """Return the class that most of the `FEW` nearest have, each counted alike (queries,).

    Of several the first in the order of classes.
    """
    alike = np.zeros_like(nearest.cosine[:, :FEW])
    votes = count_votes(Nearest(nearest.rows[:, :FEW], alike), labels)
    return np.asarray(votes.argmax(axis=1))


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _BLOCK):
        yield slice(start, min(start + _BLOCK, count))
