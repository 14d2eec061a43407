"""The nearest of all references for every query, exactly, by products of blocks.

A block of queries is multiplied with all references. The largest products of a row are looked for
in two steps: the row is seen as groups of columns that lie far apart, whose maxima take one pass
over memory in the order in which it lies; and what is among the `count` largest of all stands in
one of the `count` groups of largest maximum, so that only these are searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxmem.arrays import Array, namespace, to_host

_GROUP = 32
"""Columns in a group."""

_BLOCK = 2**24
"""Products of a block: a number of its own, so that no budget and no core decides what is added."""

_NOWHERE = -2.0
"""A product that no two directions have."""

Map = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]
"""Applies a function to items, several at a time if it can."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The references that are nearest to each query, the nearest first.

    Attributes:
        rows: (queries, count) int32, their positions.
        cosine: (queries, count) float32, of the angle between both, from -1 to 1.
    """

    rows: np.ndarray
    cosine: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def one_by_one(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Apply `function` to items, one after the other."""
    return list(map(function, items))


def nearest(
    queries: Array,
    references: Array,
    count: int,
    own: np.ndarray | None = None,
    apply: Map = one_by_one,
) -> Nearest:
    """Return the `count` references of largest cosine for each query.

    Nothing is approximated: the result is that of sorting all products, as float32 holds them.
    Which of several equal ones are taken depends on positions alone.

    Args:
        queries: (n, d) float32 of length 1, or 0.
        references: (m, d) float32 of length 1, or 0; at least `count`, and one more where `own` is
            given.
        count: how many.
        own: (n,) the position of each query among the references, where it does not count; -1
            where it is none of them. None: none is.
        apply: what works on several blocks at once.

    Raises:
        ValueError: there are too few references.
    """
    if len(references) < count + (own is not None):
        raise ValueError(f"{len(references)} references do not have {count} nearest ones")
    own = np.full(len(queries), -1) if own is None else own
    if not len(queries):
        return Nearest(np.empty((0, count), np.int32), np.empty((0, count), np.float32))
    search = _Search(references, count)
    step = block_size(len(references), count)
    blocks = [slice(start, start + step) for start in range(0, len(queries), step)]
    found = apply(lambda part: search.block(queries[part], own[part]), blocks)
    return Nearest(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def block_size(references: int, count: int) -> int:
    """Return how many queries are looked at together; each block by itself gives the same."""
    return max(1, min(1024, _BLOCK // (_groups(references, count) * _GROUP)))


def _groups(references: int, count: int) -> int:
    return max(count, -(-references // _GROUP))


class _Search:
    """Looks for the largest products of rows with all references."""

    def __init__(self, references: Array, count: int) -> None:
        self.xp, self.count, self.length = namespace(references), count, len(references)
        self.groups = _groups(len(references), count)
        self.columns = self.groups * _GROUP
        padded = self.xp.zeros((self.columns, references.shape[1]), references.dtype)
        padded[: self.length] = references
        self.transposed = padded.T

    def block(self, queries: Array, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return positions and cosines (queries, count) for some queries."""
        xp, known = self.xp, np.flatnonzero(own >= 0)
        products = queries @ self.transposed
        products[:, self.length :] = _NOWHERE
        products[xp.asarray(known), xp.asarray(own[known])] = _NOWHERE
        columns = self._candidates(products)
        values = xp.take_along_axis(products, columns, axis=1)
        best = _largest(xp, values, self.count)
        columns, values = (xp.take_along_axis(one, best, axis=1) for one in (columns, values))
        order = xp.argsort(-values, axis=1)
        columns, values = (xp.take_along_axis(one, order, axis=1) for one in (columns, values))
        return to_host(columns).astype(np.int32), to_host(values)

    def _candidates(self, products: Array) -> Array:
        """Return the columns (queries, count * _GROUP) of the groups of largest maximum."""
        xp = self.xp
        maxima = products.reshape(len(products), _GROUP, self.groups).max(axis=1)
        groups = _largest(xp, maxima, self.count)
        offsets = xp.arange(_GROUP) * self.groups
        return (groups[:, None, :] + offsets[None, :, None]).reshape(len(products), -1)


def _largest(xp: Any, values: Array, count: int) -> Array:
    """Return where the `count` largest values of each row stand, in any order."""
    first = values.shape[1] - count
    return xp.argpartition(values, first, axis=1)[:, first:]
