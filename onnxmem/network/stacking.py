"""Several batches in one run of the tail, where each then gets what it gets by itself.

They lie behind one another along axis 0: other batches, or the same one at other levels. Whether
a tail takes that is not told by its graph, so it is tried before it is relied on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.errors import ModelRefusedError
from onnxmem.network.activations import Activations, Piece
from onnxmem.network.outputs import TOLERANCE, deviation
from onnxmem.network.split_network import SplitNetwork

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


@dataclass(frozen=True, slots=True)
class Stacker:
    """Runs the tail of a cut on several batches at once.

    Attributes:
        split: the network, cut.
        along: names of the tensors that cross the cut sample by sample; others are the same in all
            batches.
    """

    split: SplitNetwork
    along: frozenset[str]

    def outputs(
        self, captures: Sequence[Activations], approximations: Sequence[Array]
    ) -> list[list[Array]]:
        """Return the model's output for each piece of some batches, from one run of the tail.

        Args:
            captures: of one piece each; the same one may come several times.
            approximations: what takes the place of their activation matrices.

        Raises:
            ModelRefusedError: the tail does not take so many samples.
        """
        pieces = [capture.pieces[0] for capture in captures]
        parts = zip(captures, approximations, strict=True)
        tensors = [tensor for capture, matrix in parts for tensor in capture.tensors(matrix)]
        xp, others = namespace(tensors[0]), dict(pieces[0].others)
        for name in self.along:
            others[name] = xp.concatenate([piece.others[name] for piece in pieces])
        ends = np.cumsum([piece.samples for piece in pieces])
        output = self.split.output(Piece(int(ends[-1]), xp.concatenate(tensors), others))
        if output.shape[:1] != (ends[-1],):
            raise ModelRefusedError(f"{self.split.cut.tail.source} loses samples of {ends[-1]}")
        return [[output[end - one.samples : end]] for end, one in zip(ends, pieces, strict=True)]

    def is_exact(self, first: Activations, last: Activations) -> bool:
        """Tell whether two batches get the same outputs together as one by one.

        One of them comes with activations that are a thousand times as large: whatever of them
        reaches the other one shows, also where its largest score is far ahead.
        """
        for factors in ((1, _LOUD), (_LOUD, 1)):
            quiet, ends = factors.index(1), (first, last)
            matrices = [one.matrix() * factor for one, factor in zip(ends, factors, strict=True)]
            try:
                together = self.outputs(ends, matrices)
            except ModelRefusedError:
                return False
            (alone,) = self.split.outputs(ends[quiet])
            if not deviation(together[quiet][0], alone) <= TOLERANCE:
                return False
        return True


def find_stacker(split: SplitNetwork, captures: Sequence[Activations]) -> Stacker | None:
    """Return what runs batches like these together, None where that is not exact.

    It is tried on the first and the last one. Tensors that cross the cut and do not lie along the
    samples must be the same in all of them.
    """
    pieces = [capture.pieces[0] for capture in captures]
    along = frozenset(name for name in pieces[0].others if _lies_along(name, pieces, split))
    if not all(_is_common(name, pieces) for name in pieces[0].others.keys() - along):
        return None
    stacker = Stacker(split, along)
    return stacker if stacker.is_exact(captures[0], captures[-1]) else None


def _lies_along(name: str, pieces: Sequence[Piece], split: SplitNetwork) -> bool:
    return name not in split.shared and all(
        piece.others[name].shape[:1] == (piece.samples,) for piece in pieces
    )


def _is_common(name: str, pieces: Sequence[Piece]) -> bool:
    first = pieces[0].others[name]
    return all(deviation(piece.others[name], first) == 0 for piece in pieces)
