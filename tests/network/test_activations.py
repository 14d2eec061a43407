"""Pieces of a batch, and the matrix that is their stack."""

from __future__ import annotations

from types import ModuleType

import pytest

from onnxmem.network.activations import Activations, Piece


@pytest.mark.parametrize("sizes", [(5,), (2, 2, 1)])
def test_matrix_of_the_pieces_goes_back_into_them(xp: ModuleType, sizes: tuple[int, ...]) -> None:
    whole = xp.arange(5 * 3 * 4, dtype="float32").reshape(5, 3, 4)
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    parts = [whole[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    capture = Activations(tuple(Piece(len(part), part, {"skip": part}) for part in parts), 1)
    assert capture.nbytes == 2 * whole.nbytes
    matrix = capture.matrix()
    assert matrix.shape == capture.matrix_shape == (20, 3)
    assert bool((xp.concatenate(capture.tensors(matrix)) == whole).all())


def test_samples_with_activations_that_are_not_finite_are_found(xp: ModuleType) -> None:
    whole = xp.ones((5, 3, 4), "float32")
    whole[1, 0, 0], whole[4, 2, 3] = xp.nan, xp.inf
    parts = (Piece(2, whole[:2], {}), Piece(3, whole[2:], {}))
    assert Activations(parts, 1).broken().tolist() == [1, 4]
