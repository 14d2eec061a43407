"""Channels are moved where the shapes fit in one way only, and never otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.data.channels import fit_axes
from onnxmem.data.shapes import fits


def numbered(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((5, 3, 8, 6), (None, 8, 6, 3)),
        ((5, 8, 6, 3), ("n", 3, 8, 6)),
        ((5, 12, 40), (None, 40, 12)),
        ((5, 3, 8, 6), (None, None, None, 3)),
        ((5, 2, 7, 8, 9), (None, 7, 8, 9, 2)),
    ],
)
def test_channels_are_moved_where_the_input_takes_them(
    given: tuple[int, ...], wanted: tuple[int | str | None, ...]
) -> None:
    array = numbered(*given)
    found, text = fit_axes(array, wanted)
    assert fits(found.shape, wanted)
    assert "moved" in text and str(given) in text
    to_end = np.moveaxis(array, 1, -1)
    other = np.moveaxis(array, -1, 1)
    assert any(np.array_equal(found, one) for one in (to_end, other))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((5, 3, 8, 6), (None, 3, 8, 6)),
        ((5, 8, 8, 8), (None, 8, 8, 8)),
        ((5, 3, 8, 6), (None, None, None, None)),
        ((5, 3, 8, 6), (None, 6, 3, 9)),
        ((5, 3, 8, 6), (None, 3, 8)),
        ((5, 3, 8, 6), None or ()),
        ((5, 3), (None, 4)),
        ((5, 3, 2, 3), (None, None, None, 2, 1)),
    ],
)
def test_all_else_stays_as_it_is(
    given: tuple[int, ...], wanted: tuple[int | str | None, ...]
) -> None:
    array = numbered(*given)
    found, text = fit_axes(array, wanted)
    assert found is array
    assert text == ""


def test_what_would_fit_in_two_ways_stays_as_it_is() -> None:
    array = numbered(5, 3, 4, 3)
    assert fit_axes(array, (None, None, 3, None))[1] == ""


sizes = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@given(shape=sizes, wanted=sizes)
def test_what_fits_is_never_moved_and_what_is_moved_fits(
    shape: list[int], wanted: list[int]
) -> None:
    array = numbered(*shape)
    found, text = fit_axes(array, wanted)
    assert bool(text) == (not fits(shape, wanted) and fits(found.shape, wanted))
    assert sorted(found.ravel()) == sorted(array.ravel())
