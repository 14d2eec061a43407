"""How an image becomes the input of a network: what may be said of it, and the whole recipe.

Steps, in the order of torchvision's and transformers' pipelines: upright, colour mode, resize
(Pillow, antialiased), centre crop, order of the channels, scale, normalisation, order of the axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

RESAMPLING = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""Filters in the order of Pillow's codes 0 to 5."""

SMALLEST_FACTOR = 1e-9
"""Below this, and above its inverse, nothing is a factor of pixels or of sizes."""

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's mode for a number of channels."""

Layout = Literal["nchw", "nhwc"]


@dataclass(frozen=True, slots=True)
class Resize:
    """To `height` x `width`; where `shortest`, the shorter edge to `height`, in proportion.

    Where there is a `fill`, the whole image in proportion, in the middle of pixels of that value
    (a letterbox).
    """

    height: int
    width: int
    shortest: bool = False
    fill: int | None = None

    def target(self, width: int, height: int) -> tuple[int, int]:
        """Return the new (width, height) of an image; the longer edge is rounded down.

        Source: `torchvision.transforms.functional._compute_resized_output_size`.
        """
        if self.fill is not None:
            ratio = min(self.width / width, self.height / height)
            return max(1, round(width * ratio)), max(1, round(height * ratio))
        if not self.shortest:
            return self.width, self.height
        short, long = sorted((width, height))
        longer = int(self.height * long / short)
        return (self.height, longer) if width <= height else (longer, self.height)

    def boxed(self, pixels: np.ndarray) -> np.ndarray:
        """Return an image (h, w, c) in the middle of its letterbox, if it gets one.

        Source: `ultralytics.data.augment.LetterBox`; an odd pixel goes below and to the right.
        """
        if self.fill is None:
            return pixels
        spare = (self.height - pixels.shape[0], self.width - pixels.shape[1])
        margins = [(size // 2, size - size // 2) for size in spare]
        return np.pad(pixels, [*margins, (0, 0)], constant_values=self.fill)

    def __str__(self) -> str:
        if self.fill is not None:
            return f"letterbox of {self.fill} in {self.height}x{self.width}"
        if self.shortest:
            return f"shorter edge to {self.height}"
        return f"resized to {self.height}x{self.width}"


class Given(TypedDict, total=False):
    """What was said; a key that is missing was not. See `Recipe`."""

    resize: Resize | None
    crop: tuple[int, int] | None
    resample: str
    scale: float | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    layout: Layout
    floor: bool
    fill: int
    bgr: bool
    upright: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that is done to an image.

    Attributes:
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
        height, width: of the result in pixels.
        shape: of the result, without the axis of samples.
        layout: whether channels come before or after rows and columns; also where these are
            flattened.
        resize: None leaves the image as large as it is.
        resample: one of `RESAMPLING`.
        crop: (height, width) around the centre, zeros where the image is smaller; None for all.
        floor: whether the crop's odd pixel is rounded down, as transformers does, or half to
            even, as torchvision does.
        scale: factor of the pixels 0..255; None leaves them uint8.
        mean, std: for each channel, after scaling; None for none.
        bgr: whether the channels come as blue, green, red.
        upright: whether an image is turned as its EXIF says; else it is taken as it is stored.
    """

    channels: int
    height: int
    width: int
    shape: tuple[int, ...]
    layout: Layout
    resize: Resize | None
    resample: str
    crop: tuple[int, int] | None
    floor: bool
    scale: float | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    bgr: bool = False
    upright: bool = True

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.float32]:
        """The type of the result: bytes where nothing is computed, else float32."""
        return np.dtype(np.uint8) if self.scale is None else np.dtype(np.float32)

    @property
    def identity(self) -> str:
        """What decides the values that a network sees, and their order if the shape does not."""
        first = (self.channels, self.height, self.width)
        last = (self.height, self.width, self.channels)
        if first != last and self.shape in (first, last):
            return repr(replace(self, layout="nchw", shape=()))
        return repr(self)

    def __str__(self) -> str:
        """Return all steps in words."""
        steps = ["turned upright by EXIF" if self.upright else "as stored, EXIF aside"]
        steps.append(
            str(self.resize or "not resized") + (f" ({self.resample})" if self.resize else "")
        )
        if self.crop is not None:
            steps.append(f"centre crop {self.crop[0]}x{self.crop[1]}")
        steps.append("BGR" if self.bgr else {1: "grey", 3: "RGB", 4: "RGBA"}[self.channels])
        steps.append(_scaling(self.scale))
        if self.mean is None and self.std is None:
            steps.append("no mean and std")
        else:
            steps.append(f"mean {_numbers(self.mean)}, std {_numbers(self.std)}")
        return ", ".join(steps)

    def largest(self, image: Image) -> int:
        """Return the pixels that `image` has where it is largest on its way."""
        sizes = [image.size, (self.width, self.height), *([self.crop] if self.crop else [])]
        if self.resize is not None:
            sizes.append(self.resize.target(*image.size))
        return max(width * height for width, height in sizes)

    def apply(self, image: Image) -> np.ndarray:
        """Return the input that `image` becomes, an array of `shape`.

        Raises:
            ValueError: the image does not come out as large as the others.
        """
        if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
            image = image.convert("RGBA")  # of which Pillow warns where it is skipped
        image = image.convert(MODES[self.channels])
        if self.resize is not None:
            target = self.resize.target(*image.size)
            if target != image.size:
                image = image.resize(target, RESAMPLING.index(self.resample))
        pixels = np.asarray(image).reshape(image.height, image.width, self.channels)
        if self.resize is not None:
            pixels = self.resize.boxed(pixels)
        if self.crop is not None:
            pixels = centre(pixels, *self.crop, floor=self.floor)
        if pixels.shape[:2] != (self.height, self.width):
            have, want = f"{pixels.shape[1]}x{pixels.shape[0]}", f"{self.width}x{self.height}"
            raise ValueError(f"it is {have} pixels wide and high where {want} are needed")
        values = self._computed(pixels[..., ::-1] if self.bgr else pixels)
        if self.layout == "nchw":
            values = np.moveaxis(values, -1, 0)
        return np.ascontiguousarray(values).reshape(self.shape)

    def _computed(self, pixels: np.ndarray) -> np.ndarray:
        if self.scale is None:
            return pixels
        values = (pixels * self.scale).astype(np.float32)
        if self.mean is not None:
            values -= np.array(self.mean, np.float32)
        if self.std is not None:
            values /= np.array(self.std, np.float32)
        return values


def _scaling(scale: float | None) -> str:
    if scale is None or scale == 1:
        return "0 to 255"
    divisor = round(1 / scale, 3)
    return f"divided by {divisor:g}" if divisor > 1 else f"times {scale:g}"


def _numbers(values: Sequence[float] | None) -> str:
    return "none" if values is None else "/".join(f"{value:g}" for value in values)


def centre(pixels: np.ndarray, height: int, width: int, *, floor: bool) -> np.ndarray:
    """Return the middle of an image (h, w, c), after a margin of zeros where it is smaller.

    Source: `torchvision.transforms.functional.center_crop`; `floor` as in transformers.
    """
    short = [max(0, size - have) for size, have in zip((height, width), pixels.shape, strict=False)]
    if any(short):
        margins = [(missing // 2, (missing + 1) // 2) for missing in short]
        pixels = np.pad(pixels, [*margins, (0, 0)])
    top, left = (
        math.floor(spare / 2) if floor else round(spare / 2)
        for spare in (pixels.shape[0] - height, pixels.shape[1] - width)
    )
    return pixels[top : top + height, left : left + width]
