"""Interpolation of any mode, up and down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operator_gradients import apart, check_operator

X = apart(2, 3, 4, 5)
NONE = np.zeros(0, np.float32)
UP = np.array([1, 1, 2, 1.6], np.float32)
DOWN = np.array([1, 1, 0.5, 0.7], np.float32)


@pytest.mark.parametrize(
    "place",
    ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"],
)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("scales", [UP, DOWN])
def test_resize_by_scales(place: str, mode: str, scales: np.ndarray) -> None:
    options: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": place}
    check_operator("Resize", X, NONE, scales, opset=19, coarse=True, wrt=[0], **options)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_resize_to_sizes(mode: str) -> None:
    sizes = np.array([2, 3, 7, 3])
    check_operator("Resize", X, None, None, sizes, coarse=True, wrt=[0], mode=mode)


def test_resize_of_some_axes() -> None:
    scales = np.array([1.5, 2], np.float32)
    options = {"mode": "linear", "axes": [3, 2], "antialias": 0}
    check_operator("Resize", X, None, scales, opset=18, coarse=True, wrt=[0], **options)


def test_resize_with_antialiasing() -> None:
    options = {"mode": "linear", "antialias": 1}
    check_operator("Resize", X, None, DOWN, opset=18, coarse=True, wrt=[0], **options)


def test_resize_of_lines_and_volumes() -> None:
    line, volume = apart(2, 3, 5), apart(1, 2, 3, 3, 2)
    options = {"mode": "linear"}
    three, five = np.array([1, 1, 2], np.float32), np.array([1, 1, 2, 1, 3], np.float32)
    check_operator("Resize", line, NONE, three, coarse=True, wrt=[0], **options)
    check_operator("Resize", volume, NONE, five, coarse=True, wrt=[0], **options)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_older_versions(mode: str) -> None:
    check_operator("Resize", X, UP, opset=10, coarse=True, wrt=[0], mode=mode)
    check_operator("Resize", X, NONE, UP, opset=11, coarse=True, wrt=[0], mode=mode)
    check_operator("Upsample", X, UP, opset=9, coarse=True, wrt=[0], mode=mode)
    check_operator("Upsample", X, opset=8, coarse=True, mode=mode, scales=UP.tolist())
