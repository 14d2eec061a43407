"""Which samples have no largest score: NaN is among their scores, or the largest is infinite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from onnxmem.arrays import Array, namespace, to_host
from onnxmem.errors import InconclusiveError, ScoresError
from onnxmem.network.network import Network
from onnxmem.text import listed

_STEP = 64
"""Samples that run together where the model takes any number."""


def rows_without(output: Array) -> np.ndarray:
    """Return the rows of scores (samples, ...) that have no largest one."""
    if output.dtype.kind != "f" or not output.size:
        return np.zeros(0, np.int64)
    largest = output.reshape(len(output), -1).max(axis=1)
    return to_host(namespace(output).flatnonzero(~namespace(output).isfinite(largest)))


def fault(network: Network) -> str:
    """Return what is wrong where a sample has no largest score."""
    return (
        f"{network.model.path} gives values that are NaN or infinite in output {network.output!r}"
    )


@contextmanager
def naming_lost(
    network: Network,
    count: int,
    called: Callable[[np.ndarray], Sequence[str]],
    output_of: Callable[[np.ndarray], Array],
) -> Iterator[None]:
    """Let the refusal of scores name all samples that have none; they run a second time.

    Args:
        network: what runs.
        count: how many samples there are.
        called: what rows of them are called.
        output_of: what the network gives for rows of them.

    Raises:
        InconclusiveError: in place of a `ScoresError`.
    """
    try:
        yield
    except ScoresError as error:
        lost = _lost(network, count, output_of)
        if not lost.size:
            raise
        few = f"{len(lost)} of {count} samples" if len(lost) < count else f"all {count} samples"
        raise InconclusiveError(
            f"{fault(network)} for {few}: {listed(called(lost))}; look for such weights, or leave "
            "those samples out"
        ) from error


def _lost(network: Network, count: int, output_of: Callable[[np.ndarray], Array]) -> np.ndarray:
    step = network.together(min(_STEP, count))
    found = set[int]()
    for start in range(0, count if step <= count else 0, step):
        first = min(start, count - step)
        found.update((first + rows_without(output_of(np.arange(first, first + step)))).tolist())
    return np.array(sorted(found), np.int64)
