"""Normalizations with what they learned, and softmax."""

from __future__ import annotations

import numpy as np
import pytest
from operator_gradients import apart, check_operator, positive

X = apart(2, 4, 3, 5, gap=0.05)
SCALE, BIAS = positive(4, seed=1), apart(4, seed=2)


@pytest.mark.parametrize("opset", [9, 14, 17])
@pytest.mark.parametrize("shape", [(3, 4), (2, 4, 3), (2, 4, 3, 5)])
def test_batch_normalization(shape: tuple[int, ...], opset: int) -> None:
    learned = SCALE, BIAS, apart(4, seed=3), positive(4, seed=4)
    check_operator("BatchNormalization", apart(*shape, gap=0.05), *learned, opset=opset)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_layer_normalization(axis: int) -> None:
    shape = X.shape[axis:]
    scale, bias = positive(*shape, seed=1), apart(*shape, seed=2)
    check_operator("LayerNormalization", X, scale, bias, axis=axis, epsilon=1e-3)
    check_operator("LayerNormalization", X, scale, axis=axis)


@pytest.mark.parametrize("axis", [2, -1])
def test_root_mean_square_normalization(axis: int) -> None:
    scale = positive(*X.shape[axis:], seed=1)
    check_operator("RMSNormalization", X, scale, opset=23, axis=axis, epsilon=1e-3)


def test_that_of_onnxruntime() -> None:
    scale = positive(5, seed=1)
    check_operator("SimplifiedLayerNormalization", X, scale, coarse=True, axis=-1, epsilon=1e-3)


@pytest.mark.parametrize("shape", [(2, 4, 6), (2, 4, 3, 5)])
def test_instance_normalization(shape: tuple[int, ...]) -> None:
    check_operator("InstanceNormalization", apart(*shape, gap=0.05), SCALE, BIAS, epsilon=1e-3)


def test_group_normalization() -> None:
    options = {"wrt": [0], "num_groups": 2, "coarse": True}
    check_operator("GroupNormalization", X, SCALE, BIAS, opset=21, **options)
    check_operator("GroupNormalization", X, SCALE[:2], BIAS[:2], opset=18, **options)


@pytest.mark.parametrize("axes", [[0, 2, 3], [1], [2, -1]])
def test_mean_variance_normalization(axes: list[int]) -> None:
    check_operator("MeanVarianceNormalization", X, coarse=True, axes=axes)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("axis", [1, -1])
def test_lp_normalization(p: int, axis: int) -> None:
    check_operator("LpNormalization", X, coarse=True, axis=axis, p=p)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_local_response_normalization(size: int) -> None:
    options = {"size": size, "alpha": 0.7, "beta": 0.6, "bias": 1.3}
    check_operator("LRN", X, coarse=True, **options)


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_softmax(op: str) -> None:
    check_operator(op, X)
    check_operator(op, X, axis=1)
    check_operator(op, X, opset=11, coarse=True)
    check_operator(op, X, opset=11, axis=2, coarse=True)


def test_softmax_of_large_numbers() -> None:
    check_operator("Softmax", apart(2, 6) * np.float32(80))
