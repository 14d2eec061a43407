"""Makes the recipe for images from what was said of preprocessing and what a network takes.

What was not said is assumed, and the assumptions are named, so that a report can tell them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from onnxmem.data.columns import InputSpec
from onnxmem.data.recipe import MODES, Given, Layout, Recipe, Resize
from onnxmem.data.shapes import in_words
from onnxmem.errors import DataError

Size = tuple[int, int]
"""Height and width."""

MORE = "say more with --preprocess"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a network takes: its channels, size (None where free) and order of axes.

    `kind` is "image" for four axes, "plane" for images without an axis of channels, "flat" for
    vectors of pixels.
    """

    kind: Literal["image", "plane", "flat"]
    channels: int
    size: Size | None
    layout: Layout

    def shape(self, height: int, width: int) -> tuple[int, ...]:
        """Return the shape of one image of that size."""
        if self.kind == "plane":
            return height, width
        if self.kind == "flat":
            return (self.channels * height * width,)
        if self.layout == "nchw":
            return self.channels, height, width
        return height, width, self.channels


def fit_recipe(given: Given, spec: InputSpec, first: Callable[[], Size]) -> tuple[Recipe, str]:
    """Return the recipe for an input, and in words what was assumed.

    Args:
        given: what was said.
        spec: the input.
        first: returns the size of an image, where nothing else tells it.

    Raises:
        DataError: the input takes no images, or what was said contradicts it.
    """
    frame, assumed = _frame(spec, given)
    (resize, crop, size), more = _geometry(given, frame.size, first)
    assumed += more
    integer = spec.dtype is not None and spec.dtype.startswith(("int", "uint"))
    if "scale" not in given and not integer:
        assumed.append("scale")
    scale = given.get("scale", None if integer else 1 / 255)
    mean, std = given.get("mean"), given.get("std")
    if scale is None and (mean is not None or std is not None):
        raise DataError(f"input {spec.name!r} takes bytes of images: no mean and std can be taken")
    if scale is not None and not {"mean", "std"} & given.keys():
        assumed.append("mean and std")
    for name, values in (("mean", mean), ("std", std)):
        if values is not None and len(values) not in (1, frame.channels):
            raise DataError(
                f"{name} has {len(values)} numbers, input {spec.name!r} takes "
                f"{frame.channels} channels"
            )
    bgr = given.get("bgr", False)
    if bgr and frame.channels != len("bgr"):
        raise DataError(f"input {spec.name!r} takes {frame.channels} channels, order=bgr has 3")
    if resize is not None and resize.fill is not None:
        resize = replace(resize, fill=given.get("fill", resize.fill))
    recipe = Recipe(
        channels=frame.channels,
        height=size[0],
        width=size[1],
        shape=frame.shape(*size),
        layout=frame.layout,
        resize=resize,
        resample=given.get("resample", "bilinear"),
        crop=crop,
        floor=given.get("floor", False),
        scale=scale,
        mean=mean,
        std=std,
        bgr=bgr,
        upright=given.get("upright", True),
    )
    return recipe, ", ".join(assumed)


def _frame(spec: InputSpec, given: Given) -> tuple[Frame, list[str]]:
    dims = spec.shape
    layout = given.get("layout")
    if dims is None:
        return Frame("image", 3, None, layout or "nchw"), ["3 channels", *_said(layout)]
    sizes = [size if isinstance(size, int) and size > 0 else None for size in dims]
    if len(sizes) == 4:
        return _image(spec, sizes[1:], layout)
    if len(sizes) == 3:
        return Frame("plane", 1, _both(sizes[1], sizes[2]), layout or "nchw"), []
    if len(sizes) == 2 and sizes[1] is not None:
        return _flat(spec, sizes[1], given)
    raise DataError(f"input {spec.name!r} takes {in_words(dims)}, which is no image")


def _said(layout: Layout | None) -> list[str]:
    return [] if layout else ["layout nchw"]


def _image(
    spec: InputSpec, sizes: list[int | None], layout: Layout | None
) -> tuple[Frame, list[str]]:
    assumed: list[str] = []
    first, last = _likeness(sizes[0]), _likeness(sizes[2])
    if layout is None:
        layout = "nhwc" if last > first else "nchw"
        assumed = [f"layout {layout}"] if first == last else []
    channels = sizes[0] if layout == "nchw" else sizes[2]
    if channels is None:
        channels = 3
        assumed.append("3 channels")
    if channels not in MODES:
        raise DataError(
            f"input {spec.name!r} takes {in_words(spec.shape or ())}: {channels} channels are no "
            f"image; {MORE} layout=nchw or layout=nhwc"
        )
    size = _both(sizes[1], sizes[2]) if layout == "nchw" else _both(sizes[0], sizes[1])
    return Frame("image", channels, size, layout), assumed


def _likeness(size: int | None) -> int:
    """Return how likely an axis of that size counts channels."""
    return 2 if size in (1, 3) else int(size in MODES)


def _flat(spec: InputSpec, length: int, given: Given) -> tuple[Frame, list[str]]:
    """Return how many channels and pixels a vector has: grey or RGB, a square if nothing is said.

    Pixels lie as in nchw (all of one channel together) unless nhwc is said.
    """
    layout = given.get("layout") or "nchw"
    said = _said_size(given)
    for channels in (1, 3):
        edge = math.isqrt(length // channels)
        size = said or (edge, edge)
        if channels * size[0] * size[1] == length:
            colour = "grey" if channels == 1 else f"RGB in the order {layout}"
            return Frame("flat", channels, size, layout), [f"{colour} {size[0]}x{size[1]}"]
    raise DataError(
        f"input {spec.name!r} takes {in_words(spec.shape or ())}, which is no square image; "
        f"{MORE} size=HEIGHTxWIDTH"
    )


def _said_size(given: Given) -> Size | None:
    """Return the size that was said of what comes out, if one was."""
    if crop := given.get("crop"):
        return crop
    resize = given.get("resize")
    return None if resize is None or resize.shortest else (resize.height, resize.width)


def _both(height: int | None, width: int | None) -> Size | None:
    return None if height is None or width is None else (height, width)


Geometry = tuple[Resize | None, Size | None, Size]
"""Resize, crop, and the size that comes out."""


def _geometry(
    given: Given, wanted: Size | None, first: Callable[[], Size]
) -> tuple[Geometry, list[str]]:
    """Return resize, crop and size from what was said, and what had to be assumed."""
    if "resize" in given and "crop" in given:
        return _as_said(given["resize"], given["crop"], wanted, first), []
    if "resize" in given:
        resize = given["resize"]
        if resize is None or not resize.shortest:
            return _as_said(resize, None, wanted, first), []
        crop = wanted or (resize.height, resize.height)
        return (resize, crop, crop), [f"crop {_sides(crop)}"]
    size = given.get("crop") or wanted
    if size is None:
        return (None, None, first()), ["size of the first image"]
    if "crop" in given and given["crop"] is None:
        return (Resize(*size), None, size), [f"size {_sides(size)}"]
    edge = max(size)
    assumed = [f"size {edge}"] if "crop" in given else ["size and crop"]
    return (Resize(edge, edge, shortest=True), size, size), assumed


def _as_said(
    resize: Resize | None, crop: Size | None, wanted: Size | None, first: Callable[[], Size]
) -> Geometry:
    if crop is not None:
        return resize, crop, crop
    if resize is not None and not resize.shortest:
        return resize, None, (resize.height, resize.width)
    if wanted is not None:
        return resize, None, wanted
    height, width = first()
    if resize is not None:
        width, height = resize.target(width, height)
    return resize, None, (height, width)


def _sides(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
