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
        captures: of one piece each, unless there is only one; the same one may come several times.
        approximations: what takes the place of their activation matrices.
    """
    tensors = [
        capture.tensors(matrix) for capture, matrix in zip(captures, approximations, strict=True)
    ]
    if len(captures) == 1:
        return [runner.outputs(captures[0], tensors[0])]
    pieces = [capture.pieces[0] for capture in captures]
    xp = namespace(tensors[0][0])
    others = {
        name: xp.concatenate([piece.others[name] for piece in pieces])
        if _counts_samples(name, pieces)
        else array
        for name, array in pieces[0].others.items()
    }
    tensor = xp.concatenate([one for (one,) in tensors])
    output = runner.output(Piece(sum(piece.samples for piece in pieces), tensor, others))
    ends = np.cumsum([piece.samples for piece in pieces])
    return [[output[end - piece.samples : end]] for end, piece in zip(ends, pieces, strict=True)]


def can_stack(runner: CutRunner, captures: Sequence[Capture]) -> bool:
    """Tell whether the tail gives batches the same outputs together as one by one.

    The first and the last batch are tried, one of them with activations that are halved, so that
    they differ also where there is only one. Tensors that cross the cut and do not lie along the
    samples must be the same in all batches.
    """
    pieces = [capture.pieces[0] for capture in captures]
    for name in pieces[0].others:
        if not _counts_samples(name, pieces) and not _is_common(name, pieces):
            return False
    tried = [captures[0], captures[-1]]
    matrices = [tried[0].matrix(), tried[1].matrix() / 2]
    try:
        together = stacked_outputs(runner, tried, matrices)
    except ModelRefusedError:
        return False
    for capture, matrix, (output,) in zip(tried, matrices, together, strict=True):
        (alone,) = runner.outputs(capture, capture.tensors(matrix))
        if not deviation(output, alone) <= TOLERANCE:
            return False
    return True


def _counts_samples(name: str, pieces: Sequence[Piece]) -> bool:
    return all(piece.others[name].shape[:1] == (piece.samples,) for piece in pieces)


def _is_common(name: str, pieces: Sequence[Piece]) -> bool:
    first = pieces[0].others[name]
    return all(deviation(piece.others[name], first) == 0 for piece in pieces)
