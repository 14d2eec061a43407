"""Which shapes fit an input, and which axis is to blame where one does not."""

from __future__ import annotations

import pytest

from onnxmem.data.shapes import fits, in_words, misfit


@pytest.mark.parametrize(
    ("shape", "sizes", "fit"),
    [
        ((7, 3), (1, 3), True),
        ((7, 3), ("n", None), True),
        ((7, 3), (None, -1), True),
        ((7, 3), (7, 4), False),
        ((7, 3), (7, 3, 1), False),
        ((), (), True),
    ],
)
def test_samples_fit_where_all_fixed_sizes_agree(
    shape: tuple[int, ...], sizes: tuple[int | str | None, ...], fit: bool
) -> None:
    assert fits(shape, sizes) is fit


def test_the_first_wrong_axis_is_told() -> None:
    assert misfit((9, 3, 5, 5), (1, 3, 4, 4)) == 2
    assert misfit((9, 3), (1, 3)) is None


def test_free_sizes_are_question_marks_in_words() -> None:
    assert in_words((None, 3, "h")) == "(?, 3, h)"
    assert in_words((4,)) == "(4,)"
    assert in_words(()) == "()"
