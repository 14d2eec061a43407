"""Which layers of several models correspond: in order, and of equal width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onnxmem.records import Layer

Matched = tuple[Layer | None, ...]
"""Layers that correspond, one for each model; None where a model has none."""


def _extent(layer: Layer) -> tuple[int | None, ...] | None:
    """Return the sizes that count neither samples nor features, for instance height and width."""
    if layer.axis is None or layer.shape is None:
        return None
    return tuple(size for place, size in enumerate(layer.shape) if place not in (0, layer.axis))


def _correspond(one: Layer, other: Layer) -> bool:
    """Tell whether two layers may be counterparts; what is not known may.

    Their widths are equal, and both are maps (of height and width, say), or neither is.
    """
    widths = one.width, other.width
    if None not in widths and widths[0] != widths[1]:
        return False
    maps = _is_map(one), _is_map(other)
    return None in maps or maps[0] == maps[1]


def _is_map(layer: Layer) -> bool | None:
    """Tell whether a layer has more than one place for each feature; None if it is not known."""
    extent = _extent(layer)
    return None if extent is None else any(size != 1 for size in extent)


def match_layers(models: Sequence[Sequence[Layer]]) -> list[Matched]:
    """Return rows of layers that correspond.

    Each model is aligned with the first so that as many layers as possible find a partner of
    their width, whatever axis it lies on; a map and a vector are no partners. Among such
    alignments, that with the most partners of equal height and width, then of equal name. Layers
    without one have rows of their own at the end.
    """
    first, others = models[0], models[1:]
    partners = [dict(align(first, one)) for one in others]
    rows: list[Matched] = [
        (
            layer,
            *(
                one[found[place]] if place in found else None
                for one, found in zip(others, partners, strict=True)
            ),
        )
        for place, layer in enumerate(first)
    ]
    for number, (one, found) in enumerate(zip(others, partners, strict=True), start=1):
        taken = set(found.values())
        rows += [
            _alone(layer, number, len(models))
            for place, layer in enumerate(one)
            if place not in taken
        ]
    return rows


def _alone(layer: Layer, place: int, count: int) -> Matched:
    return tuple(layer if index == place else None for index in range(count))


def align(one: Sequence[Layer], other: Sequence[Layer]) -> list[tuple[int, int]]:
    """Return the positions of layers that correspond, in increasing order.

    Source: Needleman & Wunsch (1970), A general method applicable to the search for similarities,
    with no cost for a layer left out.
    """
    worth = _worth(8 * (min(len(one), len(other)) + 1))
    gain = np.array([[worth(a, b) for b in other] for a in one], np.int64)
    best = np.zeros((len(one) + 1, len(other) + 1), np.int64)
    for i in reversed(range(len(one))):
        for j in reversed(range(len(other))):
            together = gain[i, j] + best[i + 1, j + 1] if gain[i, j] else 0
            best[i, j] = max(together, best[i + 1, j], best[i, j + 1])
    pairs, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        if gain[i, j] and best[i, j] == gain[i, j] + best[i + 1, j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _worth(partner: int) -> Callable[[Layer, Layer], int]:
    """Return what a pair of layers adds to an alignment; 0 where they cannot correspond.

    One more pair counts `partner`, more than all that tells pairs apart.
    """

    def worth(one: Layer, other: Layer) -> int:
        if not _correspond(one, other):
            return 0
        known = None not in (one.width, other.width)
        alike = _extent(one) == _extent(other)
        return partner + 4 * known + 2 * alike + (one.tensor == other.tensor)

    return worth
