"""The samples that are asked about: suspects and others, in an order of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array
from onnxmem.data import Samples
from onnxmem.network.network import Network
from onnxmem.network.opening import Opened


@dataclass(frozen=True, slots=True)
class Crowd:
    """Suspects and other samples.

    Attributes:
        rows: (n,) which samples, suspects first.
        suspect: (n,) which of them are suspects.
        labels: (n,) the class that each came with, as the network counts classes.
    """

    rows: np.ndarray
    suspect: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def means(self, values: np.ndarray) -> tuple[float | None, float | None]:
        """Return the mean of `values` (n,) over the others and over the suspects.

        Of truths it is the share that holds.
        """
        groups = values[~self.suspect], values[self.suspect]
        others, suspects = (float(one.mean()) if len(one) else None for one in groups)
        return others, suspects

    def first(self, most: int) -> Crowd:
        """Return the first so many suspects and the first so many others."""
        places = [np.flatnonzero(self.suspect == one)[:most] for one in (True, False)]
        kept = np.concatenate(places)
        return Crowd(self.rows[kept], self.suspect[kept], self.labels[kept])


def choose(samples: Samples, suspect: np.ndarray, labels: np.ndarray, most: int) -> Crowd:
    """Return at most so many suspects and so many others.

    Which ones follows from hashes, so that nothing depends on how the data were sorted.

    Args:
        samples: all of them.
        suspect: (samples,) which are suspects.
        labels: (samples,) the class that each came with.
        most: of either.
    """
    order = np.argsort(samples.digests, kind="stable")
    groups = [order[suspect[order] == one][:most] for one in (True, False)]
    rows = np.concatenate(groups)
    return Crowd(rows, suspect[rows], labels[rows])


@dataclass(frozen=True, slots=True)
class Feeder:
    """Feeds a network with samples by their rows."""

    network: Network
    samples: Samples
    shared: Mapping[str, Array]

    @classmethod
    def of(cls, opened: Opened) -> Feeder:
        """Return what feeds an opened network."""
        shared = opened.network.feeds(opened.samples.shared)
        return cls(opened.network, opened.samples, shared)

    def __call__(self, rows: np.ndarray) -> dict[str, Array]:
        """Return all inputs of the samples `rows`, on the device."""
        columns = {name: column[rows] for name, column in self.samples.inputs.items()}
        return self.network.feeds(columns) | dict(self.shared)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Rows in pieces of one size; the last of them begins with rows of the one before it."""

    rows: np.ndarray
    size: int

    def __len__(self) -> int:
        return -(-len(self.rows) // self.size)

    def rows_of(self, number: int) -> np.ndarray:
        """Return the rows of a piece, some again where there are fewer than a piece has."""
        if len(self.rows) < self.size:
            return np.resize(self.rows, self.size)
        start = min(number * self.size, len(self.rows) - self.size)
        return self.rows[start : start + self.size]

    def place(self, number: int) -> tuple[slice, int]:
        """Return where the results of a piece belong, and how many of its first ones do not."""
        stop = min((number + 1) * self.size, len(self.rows))
        start = min(number * self.size, max(0, len(self.rows) - self.size))
        return slice(number * self.size, stop), number * self.size - start
