"""Few ranks that tell the area under a curve, chosen while it is measured, and what they may miss.

Nothing here knows where the accuracies come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onnxmem.compression.curve import positions

Measure = Callable[[int], np.ndarray]
"""Gives the accuracy of each batch (batches,) at a rank."""


def choose_ranks(
    grid: Sequence[int],
    sizes: Sequence[int],
    measure: Measure,
    tolerance: float = 0.005,
) -> tuple[list[int], float]:
    """Choose ranks of `grid` until the area under the accuracy is known well enough.

    Accuracy hardly falls with rank. Between two measured neighbours the curve of a batch that does
    not fall stays inside the rectangle that they span, which bounds the error of the straight line
    (`left_out`). The ends and two ranks between them come first, of which one is low, because low
    ranks are cheap; the other finds most curves that dip beneath their ceiling. Then the interval
    with the largest bound is halved, until the sum of all bounds is at most `tolerance`.

    A batch that falls between two measured ranks may do so again between others. So each rectangle
    is made higher, at the top and at the bottom, by as much as its batch has been seen to fall, and
    the sum of these bounds must be at most twice the tolerance. Where curves fall far that measures
    every rank.

    Args:
        grid: increasing ranks.
        sizes: (batches,) samples of each batch.
        measure: gives the accuracies at a rank; called once for each chosen rank.
        tolerance: of the normalised area.

    Returns:
        The chosen ranks in increasing order, and the bound of their area, at most twice the
        tolerance. It holds where no batch falls further between two chosen neighbours, from any
        rank to a higher one, than the most that it falls from one chosen rank to the next.
    """
    share = np.asarray(sizes) / np.sum(sizes)
    found = {place: measure(grid[place]) for place in first_places(len(grid))}
    while True:
        known = sorted(found)
        accuracy = np.stack([found[place] for place in known])
        fall = np.maximum(-np.diff(accuracy, axis=0), 0).max(axis=0, initial=0.0)
        least = left_out(grid, known, accuracy, np.zeros_like(fall)) @ share
        bounds = left_out(grid, known, accuracy, fall) @ share
        if least.sum() <= tolerance and bounds.sum() <= 2 * tolerance:
            return [grid[place] for place in known], float(bounds.sum())
        worst = int(bounds.argmax())
        middle = (known[worst] + known[worst + 1]) // 2
        found[middle] = measure(grid[middle])


def left_out(
    grid: Sequence[int], known: Sequence[int], accuracy: np.ndarray, fall: np.ndarray
) -> np.ndarray:
    """Return how far from the straight lines the ranks between them can move the area.

    They do so most where all of them lie at the top of a rectangle, or all at its bottom: at the
    next measured accuracy plus `fall`, or at the last one minus `fall`.

    Args:
        grid: increasing ranks.
        known: the places in `grid` of those that were measured, increasing.
        accuracy: (measured, batches).
        fall: (batches,) how far each batch falls at most.

    Returns:
        (measured - 1, batches) shares of the normalised area.
    """
    axis, places = positions(grid, "rank"), np.asarray(known)
    first, last = places[:-1], places[1:]
    inner = np.stack([axis[last] - axis[first + 1], axis[last - 1] - axis[first]])[:, :, None]
    ends = np.stack([accuracy[:-1], accuracy[1:]])
    top = np.minimum(np.maximum(ends[0], ends[1] + fall), 1)
    bottom = np.maximum(np.minimum(ends[1], ends[0] - fall), 0)
    error = np.maximum((inner * (top - ends)).sum(axis=0), (inner * (ends - bottom)).sum(axis=0))
    return np.asarray(error / (2 * max(axis[-1] - axis[0], 1e-9)))


def first_places(count: int) -> tuple[int, ...]:
    """Return the places in a grid of `count` ranks that are measured in any case, ascending."""
    last = count - 1
    return tuple(sorted({0, last // 4, last // 2, last}))
