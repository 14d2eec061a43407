"""Samples by what they hold: copies stand together, and all in an order of their own.

The order is that of hashes, so that nothing depends on how the data were sorted. Copies of one
sample are each other's nearest neighbours and would hide their label, so that a content counts once
and is no neighbour of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnxmem.data import Samples

MOST_REFERENCES = 60_000
"""Contents up to which every one may be a neighbour; of more a share of each class is drawn."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Samples in their own order, and the different contents among them.

    Attributes:
        order: (samples,) rows in the data, in the order of the hashes of samples with labels.
        of: (samples,) the content of each of these, from 0 on in the order of its hash.
        rows: (contents,) a row in the data for each content.
        hashes: (contents,) of the contents.
    """

    order: np.ndarray
    of: np.ndarray
    rows: np.ndarray
    hashes: np.ndarray

    @classmethod
    def among(cls, samples: Samples) -> Contents:
        """Return the contents among samples."""
        order = np.argsort(samples.digests, kind="stable")
        hashes, first, of = np.unique(
            samples.contents[order], return_index=True, return_inverse=True
        )
        return cls(order, of, order[first], hashes)

    @property
    def copies(self) -> int:
        """How many samples are there again."""
        return len(self.order) - len(self.rows)

    def places(self, hashes: np.ndarray) -> np.ndarray:
        """Return which content each of other hashes (n,) is, -1 for none (n,)."""
        found = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[found] == hashes, found, -1)


def draw_references(labels: np.ndarray, most: int = MOST_REFERENCES) -> np.ndarray:
    """Return which contents may be neighbours, ascending: all, or as large a share of each class.

    Contents come in the order of their hashes, so that the first ones of a class are drawn at
    random.

    Args:
        labels: (contents,) the class of each.
        most: how many may be.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    kept = np.maximum(counts * most // len(labels), np.minimum(counts, 1))
    starts = np.cumsum(counts) - counts
    return np.sort(np.concatenate([order[s : s + k] for s, k in zip(starts, kept, strict=True)]))
