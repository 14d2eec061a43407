"""Pieces of a batch, and the matrix that is their stack."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.auditing.capture import Capture, Piece, piece_size
from onnxmem.errors import OutOfMemoryError


@given(
    per_sample=st.integers(1, 10**6),
    budget=st.integers(1, 10**8),
    batch=st.integers(1, 500),
)
def test_pieces_fit_into_the_budget(per_sample: int, budget: int, batch: int) -> None:
    if per_sample > budget:
        with pytest.raises(OutOfMemoryError):
            piece_size(per_sample, budget, None, batch)
        return
    size = piece_size(per_sample, budget, None, batch)
    assert 1 <= size <= batch
    assert size * per_sample <= budget
    assert size == batch or 2 * size * per_sample > budget


def test_only_batch_size_of_a_network_is_taken_as_it_is() -> None:
    assert piece_size(10, 10**6, native=4, batch=30) == 4
    with pytest.raises(OutOfMemoryError):
        piece_size(10, 39, native=4, batch=30)


@pytest.mark.parametrize("sizes", [(5,), (2, 2, 1)])
def test_matrix_of_the_pieces_goes_back_into_them(xp: ModuleType, sizes: tuple[int, ...]) -> None:
    whole = xp.arange(5 * 3 * 4, dtype="float32").reshape(5, 3, 4)
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    parts = [whole[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    capture = Capture(tuple(Piece(len(part), part, {"skip": part}) for part in parts), 1)
    assert capture.nbytes == 2 * whole.nbytes
    matrix = capture.matrix()
    assert matrix.shape == (20, 3)
    assert bool((xp.concatenate(capture.tensors(matrix)) == whole).all())
