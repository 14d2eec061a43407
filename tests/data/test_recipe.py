"""What is done to an image, against numbers worked out by hand or by Pillow alone."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.data.recipe import RESAMPLING, Recipe, Resize, centre

Image = pytest.importorskip("PIL.Image")


def recipe(**changes: object) -> Recipe:
    """Return a recipe that leaves RGB images of 4 x 4 as they are, but for `changes`."""
    plain = {
        "channels": 3,
        "height": 4,
        "width": 4,
        "shape": (3, 4, 4),
        "layout": "nchw",
        "resize": None,
        "resample": "bilinear",
        "crop": None,
        "floor": False,
        "scale": None,
        "mean": None,
        "std": None,
    }
    return Recipe(**(plain | changes))  # type: ignore[arg-type]


def picture(height: int = 4, width: int = 4) -> np.ndarray:
    """Return pixels in no order (height, width, 3)."""
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_bytes_stay_as_they_are_in_either_layout() -> None:
    pixels = picture()
    result = recipe().apply(Image.fromarray(pixels))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, pixels.transpose(2, 0, 1))
    last = recipe(layout="nhwc", shape=(4, 4, 3)).apply(Image.fromarray(pixels))
    np.testing.assert_array_equal(last, pixels)


def test_scaled_then_normalized_for_each_channel() -> None:
    pixels = np.full((4, 4, 3), (51, 102, 255), np.uint8)
    made = recipe(scale=1 / 255, mean=(0.1, 0.2, 0.5), std=(0.1, 0.4, 0.25))
    result = made.apply(Image.fromarray(pixels))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result[:, 2, 1], [1.0, 0.5, 2.0], rtol=1e-6)


def test_mean_of_one_number_is_for_all_channels() -> None:
    result = recipe(scale=1.0, mean=(5.0,)).apply(Image.fromarray(np.full((4, 4, 3), 7, np.uint8)))
    assert (result == 2).all()


def test_grey_is_what_pillow_makes_of_colours() -> None:
    image = Image.fromarray(picture())
    made = recipe(channels=1, shape=(1, 4, 4)).apply(image)
    np.testing.assert_array_equal(made[0], np.asarray(image.convert("L")))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_mode_becomes_colours(mode: str) -> None:
    image = Image.fromarray(picture()).convert(mode)
    expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(recipe().apply(image), expected)


@pytest.mark.parametrize(
    ("size", "edge", "expected"),
    [((300, 200), 256, (384, 256)), ((200, 301), 64, (64, 96)), ((7, 7), 20, (20, 20))],
)
def test_shorter_edge_decides_and_the_longer_is_rounded_down(
    size: tuple[int, int], edge: int, expected: tuple[int, int]
) -> None:
    assert Resize(edge, edge, shortest=True).target(*size) == expected


@pytest.mark.parametrize("name", RESAMPLING)
def test_resampled_by_the_filter_of_that_name(name: str) -> None:
    image = Image.fromarray(picture(9, 11))
    made = recipe(resize=Resize(4, 4), resample=name).apply(image)
    expected = image.resize((4, 4), Image.Resampling[name.upper()])
    np.testing.assert_array_equal(made.transpose(1, 2, 0), np.asarray(expected))


@pytest.mark.parametrize(("floor", "top"), [(True, 1), (False, 2)])
def test_odd_pixel_of_a_crop_goes_down_or_half_to_even(floor: bool, top: int) -> None:
    rows = np.arange(7)[:, None, None].repeat(4, 1)
    np.testing.assert_array_equal(centre(rows, 4, 4, floor=floor)[:, 0, 0], np.arange(top, top + 4))


def test_small_image_gets_a_margin_of_zeros() -> None:
    result = centre(np.ones((3, 4, 1), np.uint8), 6, 4, floor=False)
    assert result[:, 0, 0].tolist() == [0, 1, 1, 1, 0, 0]


def test_image_of_another_size_than_the_rest_is_refused() -> None:
    with pytest.raises(ValueError, match="5x4 pixels"):
        recipe().apply(Image.fromarray(picture(4, 5)))


def test_vector_of_pixels_in_the_order_of_the_layout() -> None:
    pixels = picture()
    flat = recipe(shape=(48,)).apply(Image.fromarray(pixels))
    np.testing.assert_array_equal(flat, pixels.transpose(2, 0, 1).ravel())


def test_identity_is_that_of_the_values_not_of_their_order() -> None:
    one, other = recipe(), recipe(layout="nhwc", shape=(4, 4, 3))
    assert one.identity == other.identity
    assert recipe(scale=1 / 255).identity != one.identity
    flat, turned = recipe(shape=(48,)), recipe(shape=(48,), layout="nhwc")
    assert flat.identity != turned.identity


def test_bgr_turns_the_channels_around_before_they_are_scaled() -> None:
    pixels = picture()
    made = recipe(bgr=True, scale=1.0, mean=(1.0, 2.0, 3.0))
    blue, green, red = made.apply(Image.fromarray(pixels))
    np.testing.assert_array_equal(blue, pixels[..., 2] - np.float32(1))
    np.testing.assert_array_equal(green, pixels[..., 1] - np.float32(2))
    np.testing.assert_array_equal(red, pixels[..., 0] - np.float32(3))
    assert "BGR" in str(made)
    assert made.identity != recipe(scale=1.0, mean=(1.0, 2.0, 3.0)).identity


def test_letterbox_holds_the_whole_image_in_proportion() -> None:
    made = recipe(height=8, width=8, shape=(3, 8, 8), resize=Resize(8, 8, fill=114))
    result = made.apply(Image.fromarray(np.full((4, 8, 3), 7, np.uint8)))
    assert (result[:, 2:6] == 7).all()
    assert (result[:, :2] == 114).all() and (result[:, 6:] == 114).all()
    tall = made.apply(Image.fromarray(np.full((16, 6, 3), 7, np.uint8)))
    assert [int(column) for column in tall[0, 0]] == [114, 114, 7, 7, 7, 114, 114, 114]
    assert "letterbox of 114 in 8x8" in str(made)


def test_palettes_with_a_list_of_transparencies_are_converted_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    image = Image.fromarray(picture()).quantize(16)
    expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    image.info["transparency"] = bytes([0] * 4 + [255] * 12)
    np.testing.assert_array_equal(recipe().apply(image), expected)
    assert not recwarn.list
