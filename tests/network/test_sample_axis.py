"""Where samples lie in a tensor: found by running one and two of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.network.sample_axis import SampleAxis, find_sample_axis, fixed_axis

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)


def activations(samples: int, sizes: list[int]) -> np.ndarray:
    """Return numbers (samples, *sizes) of which each sample has its own."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, *sizes))[:samples].astype(np.float32)


@given(SIZES, st.data())
def test_samples_along_any_axis_are_brought_to_the_first(
    sizes: list[int], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(sizes)))
    one, two, many = (np.moveaxis(activations(count, sizes), 0, at) for count in (1, 2, 5))
    axis = find_sample_axis(one, two)
    assert axis == SampleAxis(at)
    features = data.draw(st.integers(1, len(sizes)))
    lying = [*range(1, at + 1), 0, *range(at + 1, len(sizes) + 1)]
    first, moved = axis.first(many, lying.index(features))
    np.testing.assert_array_equal(first, activations(5, sizes))
    assert moved == features


def test_positions_that_lie_behind_one_another_are_parted() -> None:
    one, two, many = (activations(count, [3, 4]).reshape(-1, 4) for count in (1, 2, 5))
    axis = find_sample_axis(one, two)
    assert axis == SampleAxis(0, 3)
    first, features = axis.first(many, -1)
    np.testing.assert_array_equal(first, activations(5, [3, 4]))
    assert features == 2


def test_samples_that_are_mixed_with_positions_cannot_be_told() -> None:
    one, two = (activations(count, [3, 4]).swapaxes(0, 1).reshape(-1, 4) for count in (1, 2))
    assert find_sample_axis(one, two) is None


@pytest.mark.parametrize(
    ("one", "two"), [((3, 4), (3, 4)), ((1, 1), (2, 2)), ((1, 4), (2, 4, 1)), ((), ())]
)
def test_what_does_not_grow_along_one_axis_has_no_samples(
    one: tuple[int, ...], two: tuple[int, ...]
) -> None:
    assert find_sample_axis(np.zeros(one), np.zeros(two)) is None


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((4, 4, 2), SampleAxis(0)), ((7, 4, 2), SampleAxis(1)), ((7, 4, 4), None), ((8, 2), None)],
)
def test_of_a_fixed_number_the_shape_tells(shape: tuple[int, ...], axis: SampleAxis | None) -> None:
    assert fixed_axis(shape, 4) == axis
