"""Several batches in one run of the tail, where each then gets what it gets by itself.

They lie behind one another along axis 0: other batches, or the same one at other levels. Whether
a tail takes that is not told by its graph, so it is tried before it is relied on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.auditing.capture import Capture, CutRunner, Piece
from onnxmem.auditing.outputs import TOLERANCE, deviation
from onnxmem.errors import ModelRefusedError

_LOUD = 1000.0
"""By how much one batch is larger while it is tried what reaches the other one."""


def stack_up(sizes: Sequence[int], limit: int) -> Iterator[slice]:
    """Yield slices of `sizes`, each as long as its sum stays within `limit`, or of one alone."""
    start = total = 0
    for place, size in enumerate(sizes):
        if place > start and total + size > limit:
            yield slice(start, place)
            start, total = place, 0
        total += size
    if start < len(sizes):
        yield slice(start, len(sizes))


def stacked_outputs(
    runner: CutRunner, captures: Sequence[Capture], approximations: Sequence[Array]
) -> list[list[Array]]:
    """Return the model's output for each piece of some batches, from one run of the tail.

    Args:
        runner: of the cut.
        captures: of one piece each; the same one may come several times.
        approximations: what takes the place of their activation matrices.

    Raises:
        ModelRefusedError: the tail does not take so many samples.
    """
    tensors = [
        capture.tensors(matrix) for capture, matrix in zip(captures, approximations, strict=True)
    ]
    pieces = [capture.pieces[0] for capture in captures]
    xp = namespace(tensors[0][0])
    others = {
        name: xp.concatenate([piece.others[name] for piece in pieces])
        if _counts_samples(name, pieces, runner)
        else array
        for name, array in pieces[0].others.items()
    }
    ends = np.cumsum([piece.samples for piece in pieces])
    tensor = xp.concatenate([one for (one,) in tensors])
    output = runner.output(Piece(int(ends[-1]), tensor, others))
    if output.shape[:1] != (ends[-1],):
        raise ModelRefusedError(f"{runner.cut.tail.source} loses samples of {ends[-1]}")
    return [[output[end - piece.samples : end]] for end, piece in zip(ends, pieces, strict=True)]


def can_stack(runner: CutRunner, captures: Sequence[Capture]) -> bool:
    """Tell whether the tail gives batches the same outputs together as one by one.

    The first and the last batch are tried, one of them with activations that are a thousand times
    as large: whatever reaches the other one shows, also where its largest score is far ahead.
    Tensors that cross the cut and do not lie along the samples must be the same in all batches.
    """
    pieces = [capture.pieces[0] for capture in captures]
    for name in pieces[0].others:
        if not _counts_samples(name, pieces, runner) and not _is_common(name, pieces):
            return False
    ends = captures[0], captures[-1]
    return all(_is_left_alone(runner, ends, quiet) for quiet in (0, 1))


def _is_left_alone(runner: CutRunner, ends: tuple[Capture, Capture], quiet: int) -> bool:
    """Tell whether one of two batches gets its own output however loud the other one is."""
    matrices = [capture.matrix() * (1 if at == quiet else _LOUD) for at, capture in enumerate(ends)]
    try:
        together = stacked_outputs(runner, ends, matrices)
    except ModelRefusedError:
        return False
    (alone,) = runner.outputs(ends[quiet])
    return deviation(together[quiet][0], alone) <= TOLERANCE


def _counts_samples(name: str, pieces: Sequence[Piece], runner: CutRunner) -> bool:
    return name not in runner.shared and all(
        piece.others[name].shape[:1] == (piece.samples,) for piece in pieces
    )


def _is_common(name: str, pieces: Sequence[Piece]) -> bool:
    first = pieces[0].others[name]
    return all(deviation(piece.others[name], first) == 0 for piece in pieces)
