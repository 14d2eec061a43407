"""Tensor to matrix and back, for any shape and any axis of features."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnxmem.network.layout import find_unit, to_matrix, to_tensor

for_any_tensor = given(
    shape=st.lists(st.integers(1, 5), min_size=2, max_size=5).map(tuple),
    choice=st.integers(0, 3),
    dtype=st.sampled_from(["float16", "float32", "float64"]),
)
shared_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def numbered(xp: ModuleType, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    tensor: np.ndarray = xp.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    return tensor


@shared_fixture
@for_any_tensor
def test_back_and_forth_is_the_identity(
    xp: ModuleType, shape: tuple[int, ...], choice: int, dtype: str
) -> None:
    axis = 1 + choice % (len(shape) - 1)
    tensor = numbered(xp, shape, dtype)
    matrix = to_matrix(tensor, axis)
    assert matrix.dtype == xp.float32
    assert matrix.shape == (tensor.size // shape[axis], shape[axis])
    back = to_tensor(matrix, tensor, axis)
    assert back.dtype == tensor.dtype
    assert bool((back == tensor).all())


@shared_fixture
@for_any_tensor
def test_columns_are_features_and_rows_of_a_sample_stay_together(
    xp: ModuleType, shape: tuple[int, ...], choice: int, dtype: str
) -> None:
    axis = 1 + choice % (len(shape) - 1)
    tensor = numbered(xp, shape, dtype)
    matrix = to_matrix(tensor, axis)
    rows = len(matrix) // shape[0]
    for sample in range(shape[0]):
        part = matrix[sample * rows : (sample + 1) * rows]
        for feature in range(shape[axis]):
            of_feature = xp.take(tensor[sample], feature, axis=axis - 1)
            assert bool((part[:, feature] == of_feature.ravel()).all())


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_results_are_contiguous_and_do_not_alias(xp: ModuleType, axis: int) -> None:
    tensor = xp.ones((2, 3, 4, 5), "float32")
    matrix = to_matrix(tensor, axis)
    assert matrix.flags.c_contiguous
    back = to_tensor(matrix * 2, tensor, axis)
    assert back.flags.c_contiguous
    assert float(tensor.sum()) == tensor.size


@pytest.mark.parametrize("power", [-1000, -600, -140, 0, 140, 1000])
def test_doubles_of_any_size_make_the_same_matrix(xp: ModuleType, power: int) -> None:
    numbers = numbered(xp, (2, 3, 4), "float64")
    tensor = numbers * 2.0**power
    unit = find_unit([tensor[:1], tensor[1:]])
    matrix = to_matrix(tensor, 1, unit)
    assert bool(
        (matrix * (float(numbers.max()) / float(matrix.max())) == to_matrix(numbers, 1)).all()
    )
    assert bool((to_tensor(matrix, tensor, 1, unit) == tensor).all())


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 3.0])
def test_what_float32_holds_as_well_is_left_alone(xp: ModuleType, value: float) -> None:
    assert find_unit([xp.full((2, 3), value, "float64")]) == 1
    assert find_unit([xp.full((2, 3), 1e30, "float32")]) == 1
