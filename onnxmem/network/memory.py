"""How much of a layer is held at once: samples that run together, batches side by side.

What is decided here changes no result beyond rounding, and the number of workers decides nothing
but how many batches are worked on at once. Samples run together in pieces whose size follows from
the network; only a budget that is too small for them makes them smaller.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from onnxmem.errors import OutOfMemoryError

_PIECE_BYTES = 64 * 2**20
"""A piece has so many samples that its largest tensor stays below this. From some ten samples on
a sample costs the same however many run with it, so larger pieces would save no time."""

_LIVE_TENSORS = 3
"""Tensors of the largest size that a running piece holds at once."""

_WORKING_COPIES = 5
"""Copies of a batch's activations: captured, as a matrix, approximated, and two to compare them."""

_KEPT_SHARE = 0.5
"""Of what the working copies of one batch leave free, the share that captures may take to be kept.
They come before more batches at once: without them the head runs again for every level."""

_TINY_BYTES = 64 * 2**10
"""A batch is tiny where the largest tensor of its tail stays below this. Tiny batches are scored
one after the other, since threads would take longer to take turns in the interpreter than the work
takes; and a few of them share a run of the tail, which costs microseconds on the CPU
(`benchmarks/stacked_tails.py`). On a GPU a run costs more than a small batch in it, and batches
share one up to `_PIECE_BYTES`."""


@dataclass(frozen=True, slots=True)
class Load:
    """Bytes of one cut.

    Attributes:
        captured: of the cut's tensor and of all that crosses with it, for one sample.
        largest: of the largest tensor that the network makes of one sample.
        batch: samples of the largest batch.
        samples: of all batches that are measured.
        native: the only number of samples that the network takes, None where any.
        whole: whether a batch must run as one piece.
        tail: of the largest tensor that the tail makes of one sample; 0 where that is not known.
        stack: that the largest tensor in one run of the tail may have, where batches share it.
    """

    captured: int
    largest: int
    batch: int
    samples: int
    native: int | None
    whole: bool
    tail: int
    stack: int

    def piece(self, samples: int) -> int:
        """Return the bytes that so many samples need while they run."""
        return samples * _LIVE_TENSORS * max(self.largest, self.captured)

    @property
    def working(self) -> int:
        """The bytes of one batch while it is compressed."""
        return _WORKING_COPIES * self.captured * self.batch

    @property
    def stacked(self) -> int:
        """The bytes that one more sample of a stack needs, to be compressed and to run."""
        return _WORKING_COPIES * self.captured + _LIVE_TENSORS * max(self.tail, self.captured)


@dataclass(frozen=True, slots=True)
class Share:
    """What a cut may do at once.

    Attributes:
        step: samples that run together.
        side_by_side: batches that are worked on at once.
        scored_at_once: the same, of what is done with activations once they are captured.
        keep: whether the captures of all batches are kept.
        stack: samples of several batches that may go through the tail together; 0: of none.
        peak: bytes that are held at most.
    """

    step: int
    side_by_side: int
    scored_at_once: int
    keep: bool
    stack: int
    peak: int


def divide(load: Load, memory: int, workers: int) -> Share:
    """Divide `memory` bytes between pieces, batches and captures.

    Raises:
        OutOfMemoryError: it does not hold a single batch.
    """
    smallest = load.batch if load.whole else load.native or 1
    one = load.working + load.piece(smallest)
    if one > memory:
        raise OutOfMemoryError(
            f"a batch of {load.batch} samples needs {one / 2**20:.3g} MiB at this cut, the budget "
            f"is {memory / 2**20:.3g} MiB; use a larger --memory, or a smaller --per-class"
        )
    step = smallest if load.whole or load.native else piece_size(load.largest, load.batch)
    while load.piece(step) > memory - load.working:
        step = max(smallest, 1 << ((step - 1).bit_length() - 1))
    one = load.working + load.piece(step)
    captures = load.captured * load.samples
    keep = captures <= _KEPT_SHARE * (memory - one)
    free = memory - captures * keep
    stack = _stack(load, step, free - one) if keep else 0
    one += max(0, stack - load.batch) * load.stacked
    side_by_side = min(workers, free // one)
    tiny = keep and load.tail > 0 and load.batch * max(load.tail, load.captured) < _TINY_BYTES
    peak = side_by_side * one + captures * keep
    return Share(step, side_by_side, 1 if tiny else side_by_side, keep, stack, peak)


def _stack(load: Load, step: int, room: int) -> int:
    """Return how many samples may be stacked, with half of `room` bytes; see `Share.stack`."""
    if load.whole or load.native or step < load.batch or not load.tail:
        return 0
    possible = load.stack // max(load.tail, load.captured)
    stack = min(possible, load.batch + room // 2 // load.stacked)
    return stack if stack >= 2 * load.batch else 0


def largest_stack(on_gpu: bool) -> int:
    """Return the bytes for `Load.stack`."""
    return _PIECE_BYTES if on_gpu else 2 * _TINY_BYTES


def pieces_at_once(largest: int, samples: int, memory: int, workers: int) -> int:
    """Return how many pieces of so many samples may run at once; see `piece_size`."""
    return max(1, min(workers, memory // max(1, samples * _LIVE_TENSORS * largest)))


def piece_size(largest: int, batch: int, memory: int = sys.maxsize) -> int:
    """Return how many of `batch` samples run together: all, or a power of two.

    Args:
        largest: bytes of the largest tensor that the network makes of one sample.
        batch: samples that there are.
        memory: bytes that a piece may take while it runs.
    """
    possible = max(1, min(_PIECE_BYTES, memory // _LIVE_TENSORS) // max(1, largest))
    return batch if possible >= batch else 1 << (possible.bit_length() - 1)
