"""Inputs that are words: numbers that a network looks up in a table.

As numbers they mean nothing, so what two texts have in common is told by the words in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxmem import graph
from onnxmem.data import Column
from onnxmem.network.padding import Padding


@dataclass(frozen=True, slots=True)
class Words:
    """The input that holds words.

    Attributes:
        name: of the input.
        size: how many different words there are.
    """

    name: str
    size: int

    def counts(self, inputs: Mapping[str, np.ndarray], padding: Padding | None) -> np.ndarray:
        """Return how often each word stands in each sample, as (samples, size) of log(1 + count).

        Words of positions that are padded do not count.

        Source: Salton & Buckley (1988), Term-weighting approaches in automatic text retrieval.
        """
        words = inputs[self.name]
        samples = len(words)
        words = words.reshape(samples, -1).astype(np.int64) % self.size
        kept = None if padding is None else padding.kept(inputs)
        weights = None if kept is None or kept.shape != words.shape else kept.ravel()
        places = (np.arange(samples)[:, None] * self.size + words).ravel()
        found = np.bincount(places, weights, samples * self.size)
        return np.log1p(found.reshape(samples, self.size)).astype(np.float32)


def find_words(model: graph.Model, inputs: Mapping[str, Column]) -> Words | None:
    """Return which of some inputs holds words: the one with the largest table; None without any."""
    tables = {
        name: rows
        for name, rows in graph.looked_up(model).items()
        if rows and name in inputs and inputs[name].dtype.kind in "iuf"
    }
    if not tables:
        return None
    name = max(tables, key=lambda one: tables[one])
    return Words(name, tables[name])
