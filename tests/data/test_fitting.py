"""What is assumed where nothing was said, and that the assumptions are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from onnxmem.data.fitting import fit_recipe
from onnxmem.data.preprocess import read_preprocess
from onnxmem.data.recipe import Recipe, Resize
from onnxmem.errors import DataError


@dataclass(frozen=True)
class Spec:
    shape: tuple[Any, ...] | None
    dtype: str | None = "float32"
    name: str = "image"


def fit(spec: Spec, *words: str, first: tuple[int, int] = (20, 30)) -> tuple[Recipe, str]:
    return fit_recipe(read_preprocess(words), spec, lambda: first)


@pytest.mark.parametrize(
    ("shape", "channels", "layout", "result"),
    [
        (("n", 3, 32, 32), 3, "nchw", (3, 32, 32)),
        (("n", 32, 32, 3), 3, "nhwc", (32, 32, 3)),
        (("n", 1, 28, 28), 1, "nchw", (1, 28, 28)),
        ((None, 28, 28), 1, "nchw", (28, 28)),
        (("n", 784), 1, "nchw", (784,)),
        (("n", 3072), 3, "nchw", (3072,)),
    ],
)
def test_shape_of_the_input_tells_channels_layout_and_size(
    shape: tuple[Any, ...], channels: int, layout: str, result: tuple[int, ...]
) -> None:
    recipe, _ = fit(Spec(shape))
    assert (recipe.channels, recipe.layout, recipe.shape) == (channels, layout, result)
    assert recipe.resize is not None and recipe.resize.shortest
    assert recipe.crop == (recipe.height, recipe.width)


def test_everything_that_was_not_said_is_named() -> None:
    _, assumed = fit(Spec(("n", 3, 32, 32)))
    assert assumed == "size and crop, scale, mean and std"
    _, said = fit(Spec(("n", 3, 8, 8)), "size=9", "crop=8", "scale=1", "mean=1", "std=1")
    assert said == ""
    _, layout = fit(Spec(("n", 3, "h", "w")), "size=9x9")
    assert "layout" not in layout


def test_layout_that_both_ends_allow_is_an_assumption() -> None:
    recipe, assumed = fit(Spec(("n", 3, 3, 3)))
    assert recipe.layout == "nchw"
    assert "layout nchw" in assumed
    assert "layout" not in fit(Spec(("n", 3, 3, 3)), "layout=nhwc")[1]


@pytest.mark.parametrize(
    ("words", "resize", "crop"),
    [
        (("size=40",), Resize(40, 40, shortest=True), (32, 32)),
        (("size=32x32",), Resize(32, 32), None),
        (("size=none",), None, None),
        (("crop=32",), Resize(32, 32, shortest=True), (32, 32)),
        (("crop=none",), Resize(32, 32), None),
        (("size=none", "crop=32"), None, (32, 32)),
        (("size=36x40", "crop=32"), Resize(36, 40), (32, 32)),
    ],
)
def test_size_and_crop_complete_each_other(
    words: tuple[str, ...], resize: Resize | None, crop: tuple[int, int] | None
) -> None:
    recipe, _ = fit(Spec(("n", 3, 32, 32)), *words)
    assert (recipe.resize, recipe.crop) == (resize, crop)
    assert recipe.shape == (3, 32, 32)


def test_free_size_is_that_of_the_first_image() -> None:
    recipe, assumed = fit(Spec(("n", 3, "h", "w")))
    assert recipe.shape == (3, 20, 30)
    assert "size of the first image" in assumed
    recipe, _ = fit(Spec(("n", 3, "h", "w")), "size=10", "crop=none")
    assert recipe.shape == (3, 10, 15)


def test_bytes_for_a_network_that_takes_integers() -> None:
    recipe, assumed = fit(Spec(("n", 8, 8, 3), dtype="uint8"))
    assert recipe.scale is None
    assert "mean" not in assumed
    with pytest.raises(DataError, match="no mean and std"):
        fit(Spec(("n", 8, 8, 3), dtype="uint8"), "mean=0.5")


def test_vector_of_a_size_that_was_said() -> None:
    assert fit(Spec(("n", 8 * 6)), "size=8x6")[0].shape == (48,)
    assert fit(Spec(("n", 3 * 8 * 6)), "size=8x6", "layout=nhwc")[0].channels == 3


@pytest.mark.parametrize(
    ("shape", "words", "match"),
    [
        (("n", 5, 8, 8), (), "5 channels"),
        (("n", 10), (), "no square image"),
        (("n", "d"), (), "no image"),
        ((3,), (), "no image"),
        (("n", 1, 2, 3, 4), (), "no image"),
        (("n", 1, 8, 8), ("mean=1,2,3",), "mean has 3 numbers"),
    ],
)
def test_input_that_takes_no_such_images_is_refused(
    shape: tuple[Any, ...], words: tuple[str, ...], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        fit(Spec(shape), *words)


def test_letterbox_is_taken_as_said() -> None:
    recipe, assumed = fit(Spec(("n", 3, 8, 8)), "letterbox=8", "fill=9", "order=bgr", "scale=1")
    assert recipe.resize == Resize(8, 8, fill=9) and recipe.crop is None and recipe.bgr
    assert assumed == "mean and std"


def test_bgr_needs_three_channels() -> None:
    with pytest.raises(DataError, match="takes 1 channels, order=bgr has 3"):
        fit(Spec(("n", 1, 8, 8)), "order=bgr")
