"""Positions that only fill a sample up: a mask among the inputs tells which these are.

Sequences of different length are brought to one length, and a mask says what of it is real. What a
layer holds at the other positions means nothing, so they take no part in anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, to_host
from onnxmem.data import Column, Samples
from onnxmem.network.network import Network
from onnxmem.network.outputs import TOLERANCE, deviation

_TRIED = 8
"""Samples that are tried with other values where they are padded."""


@dataclass(frozen=True, slots=True)
class Padding:
    """What tells which positions are real.

    Attributes:
        name: of the input that is the mask.
        real: what it holds there: 1, or 0 where it marks what is to be left out.
    """

    name: str
    real: int = 1

    def kept(self, inputs: Mapping[str, Array]) -> Array:
        """Return which positions of some samples are real, as (samples, positions) bool."""
        return inputs[self.name] == self.real

    def note(self, samples: Samples) -> str:
        """Return what is to be told of some samples."""
        filled = 1 - self.kept({self.name: np.asarray(samples.inputs[self.name][:])}).mean()
        return f"{filled:.0%} of all positions are padded ({self.name}) and take no part"


def find_padding(network: Network, samples: Samples) -> Padding | None:
    """Return what tells the real positions of some samples, None where all are real.

    Inputs of zeros and ones may be many things. A mask is one if the output does not change with
    what the other inputs hold at the positions that it marks: that is tried.
    """
    inputs = samples.inputs
    for name, column in inputs.items():
        others = _beside(name, inputs)
        if not others or not (rows := _padded_rows(column)).size:
            continue
        if len(rows) < (network.batch or 1):
            continue
        rows = rows[: network.batch or _TRIED]
        for real in (1, 0):
            padding = Padding(name, real)
            if _is_ignored(network, samples, rows, padding, others):
                return padding
    return None


def _beside(mask: str, inputs: Mapping[str, Column]) -> list[str]:
    """Return the inputs that hold something at each position that `mask` holds a number for."""
    shape = inputs[mask].shape
    if len(shape) != 2 or inputs[mask].dtype.kind not in "biuf":
        return []
    return [
        name
        for name, column in inputs.items()
        if name != mask and column.shape[:2] == shape and column.dtype.kind in "iuf"
    ]


def _padded_rows(column: Column) -> np.ndarray:
    """Return the samples that hold both zeros and ones, none where anything else is found."""
    values = np.asarray(column[:])
    ones, zeros = values == 1, values == 0
    if not (ones | zeros).all():
        return np.empty(0, np.int64)
    return np.flatnonzero(ones.any(axis=1) & zeros.any(axis=1))


def _is_ignored(
    network: Network, samples: Samples, rows: np.ndarray, padding: Padding, others: list[str]
) -> bool:
    """Tell whether nothing that is held where samples are padded changes the output."""
    given = {name: np.asarray(column[rows]) for name, column in samples.inputs.items()}
    filled, tables = ~padding.kept(given), graph.looked_up(network.model)
    changed = {
        name: _changed(given[name], filled, tables.get(name))
        for name in others
        if not _is_mask(given[name])
    }
    if not changed:
        return False
    session = network.session(graph.expose(network.model, []))
    shared = network.feeds(samples.shared)
    before, after = (
        session.run(network.feeds(feeds) | shared, [network.output])[0]
        for feeds in (given, given | changed)
    )
    return deviation(to_host(after), to_host(before)) <= TOLERANCE


def _is_mask(values: np.ndarray) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _changed(values: np.ndarray, where: np.ndarray, rows: int | None) -> np.ndarray:
    """Return other values at some positions; words stay words of a table with so many rows."""
    other = values.copy()
    other[where] = (values[where] + 1) % rows if rows else values[where] + 1
    return other
