"""Several batches in one run of the tail, where each then gets what it gets by itself.

They lie behind one another along axis 0: other batches, or the same one at other levels. Whether
a tail takes that is not told by its graph, so it is tried before it is relied on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array, namespace, take_rows
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
        if len(pieces) > 1:
            for name in self.along:
                others[name] = xp.concatenate([piece.others[name] for piece in pieces])
        ends = np.cumsum([piece.samples for piece in pieces])
        tensor = xp.concatenate(tensors) if len(tensors) > 1 else tensors[0]
        output = self.split.output(Piece(int(ends[-1]), tensor, others))
        if output.shape[:1] != (ends[-1],):
            raise ModelRefusedError(f"{self.split.cut.tail.source} loses samples of {ends[-1]}")
        return [[output[end - one.samples : end]] for end, one in zip(ends, pieces, strict=True)]

    def is_exact(self, first: Activations, last: Activations) -> bool:
        """Tell whether samples get the same outputs among others as in their batch.

        Every other sample of one batch is run together with the other batch, whose activations are
        a thousand times as large: whatever of them reaches the former shows, also where its largest
        score is far ahead.
        """
        try:
            return all(self._is_undisturbed(*two) for two in ((first, last), (last, first)))
        except ModelRefusedError:
            return False

    def _is_undisturbed(self, quiet: Activations, loud: Activations) -> bool:
        some = np.arange(0, quiet.pieces[0].samples, 2)
        pick, other = quiet.picks(some, self.along)[0], loud.picks()[0]
        parts = [quiet.matrix()[pick.rows], loud.matrix()[other.rows] * _LOUD]
        together = self.outputs([pick.activations, other.activations], parts)[0][0]
        alone = self.split.output(quiet.pieces[0])
        return bool(deviation(together, take_rows(alone, some)) <= TOLERANCE)


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
