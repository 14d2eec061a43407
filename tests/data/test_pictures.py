"""Pictures of samples: images as images, series as curves, nothing where neither makes sense."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest

from onnxmem.data import pictures
from onnxmem.data.pictures import CURVE, IMAGE, LARGEST, draw


def pixels(picture: str) -> np.ndarray:
    image = pytest.importorskip("PIL.Image")
    assert picture.startswith(IMAGE)
    return np.asarray(image.open(io.BytesIO(base64.b64decode(picture[len(IMAGE) :]))))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 8, 12), (8, 12)),
        ((8, 12, 1), (8, 12)),
        ((8, 12), (8, 12)),
        ((3, 8, 12), (8, 12, 3)),
        ((8, 12, 3), (8, 12, 3)),
    ],
)
def test_images_of_one_or_three_channels_are_drawn(
    shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    x = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    found = draw({"x": x}, [3, 1], 10**6)
    assert list(found) == [3, 1]
    assert pixels(found[3]).shape == expected


def test_dark_and_bright_stay_dark_and_bright() -> None:
    x = np.zeros((4, 1, 6, 6), np.float32)
    x[2, 0, :3] = 7
    shown = pixels(draw({"x": x}, [0, 2], 10**6)[2])
    assert shown[:3].min() > 200 and shown[3:].max() < 50


def test_large_images_become_thumbnails() -> None:
    x = np.random.default_rng(0).random((2, 3, 224, 180)).astype(np.float32)
    height, width, channels = pixels(draw({"x": x}, [0], 10**6)[0]).shape
    assert max(height, width) <= LARGEST
    assert channels == 3


@pytest.mark.parametrize("shape", [(50,), (1, 50), (3,)])
def test_series_become_curves(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(3, *shape))
    (path,) = draw({"x": x}, [1], 10**6).values()
    points = [tuple(map(float, one.split())) for one in re.split("[ML]", path)[1:]]
    assert len(points) == min(x[0].size, pictures.POINTS)
    assert points[0][0] == 0 and points[-1][0] == CURVE[0]
    assert all(0 <= y <= CURVE[1] for _, y in points)


@pytest.mark.parametrize(
    "x", [np.zeros((3, 2)), np.zeros((3, 4, 5, 6, 7)), np.array(["a", "b", "c"], object)]
)
def test_nothing_else_is_drawn(x: np.ndarray) -> None:
    assert draw({"x": x}, [0], 10**6) == {}
    assert draw({"x": np.zeros((3, 9))}, [], 10**6) == {}


def test_the_most_important_are_drawn_where_there_is_no_room_for_all() -> None:
    x = np.random.default_rng(0).random((9, 1, 20, 20))
    all_of_them = draw({"x": x}, range(9), 10**6)
    room = sum(len(all_of_them[row]) for row in (0, 1, 2))
    assert list(draw({"x": x}, range(9), room)) == [0, 1, 2]


def test_values_that_are_not_finite_are_drawn_as_nothing() -> None:
    x = np.ones((2, 1, 4, 4))
    x[0, 0, 0, 0] = np.nan
    x[1, 0] = 2
    assert pixels(draw({"x": x}, [0, 1], 10**6)[0]).shape == (4, 4)
