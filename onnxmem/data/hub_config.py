"""Preprocessing as hubs keep it: transformers' `preprocessor_config.json` and timm's `config.json`.

What would change pixels and is not known is refused: a wrong guess looks like a network that
learned nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onnxmem.data.files import read_text
from onnxmem.data.recipe import RESAMPLING, SMALLEST_FACTOR, Given, Resize
from onnxmem.errors import DataError


def read_config(path: Path) -> Given:
    """Read a `preprocessor_config.json` of transformers, or a data configuration of timm.

    Raises:
        DataError: it cannot be read, is neither, or asks for what is not known.
    """
    text = read_text(path, "file of preprocessing")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"the file of preprocessing {path} is no JSON ({error}); give a "
            "preprocessor_config.json, timm's config.json, or words such as size=256"
        ) from error
    try:
        if not isinstance(values, dict):
            raise ValueError("it is no JSON object")
        timm = values.get("pretrained_cfg", values)
        if isinstance(timm, dict) and "input_size" in timm:
            return _from_timm(timm)
        return _from_transformers(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"the preprocessing {path} cannot be used: {error}") from error


def _from_timm(values: Mapping[str, Any]) -> Given:
    """Read timm's data configuration: what `transforms_imagenet_eval` does with it."""
    channels, height, width = values["input_size"]
    del channels
    if values.get("crop_border_pixels"):
        raise ValueError("crop_border_pixels is not known")
    mode = values.get("crop_mode") or "center"
    filter_name = values.get("interpolation", "bicubic")
    if mode not in ("center", "squash"):
        raise ValueError(f"crop_mode {mode!r} is not known; center and squash are")
    if filter_name not in RESAMPLING:
        raise ValueError(f"interpolation {filter_name!r} is not known")
    share = _factor(values.get("crop_pct") or 0.875, "crop_pct")
    larger = [math.floor(_pixels(size, "input_size") / share) for size in (height, width)]
    if mode == "center" and height != width:
        raise ValueError("only square inputs are known with crop_mode center")
    return {
        "resize": Resize(larger[0], larger[1], shortest=mode == "center"),
        "crop": (height, width),
        "resample": filter_name,
        "scale": 1 / 255,
        "mean": _triple(values.get("mean", (0.485, 0.456, 0.406)), "mean"),
        "std": _positive(values.get("std", (0.229, 0.224, 0.225)), "std"),
        "floor": False,
        "upright": False,
    }


_PLAIN = {
    "Beit": (True, 3, False),
    "Bit": (False, 3, True),
    "CLIP": (False, 3, True),
    "ConvNext": (False, 3, False),
    "DeiT": (True, 3, True),
    "EfficientNet": (True, 3, False),
    "MobileNetV1": (False, 2, True),
    "MobileNetV2": (False, 2, True),
    "Pvt": (True, 3, False),
    "Segformer": (True, 2, False),
    "Siglip": (False, 3, False),
    "ViT": (True, 2, False),
}
"""Image processors that do the plain steps: whether a size that is one number is a square, the
filter, and whether they crop, where the file does not say. Source: transformers 5.23."""

_KNOWN = frozenset(
    {
        "crop_pct", "crop_size", "data_format", "default_to_square", "device", "disable_grouping",
        "do_center_crop", "do_convert_rgb", "do_normalize", "do_rescale", "do_resize",
        "feature_extractor_type", "image_mean", "image_processor_type", "image_std",
        "input_data_format", "processor_class", "resample", "rescale_factor", "return_tensors",
        "size", "_valid_processor_keys",
    }
)  # fmt: skip
"""Keys that are understood, or that change no pixel."""

_CONVNEXT_WHOLE = 384
"""From this size on ConvNext squeezes images to a square instead of cropping them."""


def _from_transformers(values: Mapping[str, Any]) -> Given:
    """Read the configuration of one of transformers' plain image processors."""
    if not {"size", "image_mean", "do_resize", "do_rescale", "do_normalize"} & values.keys():
        raise ValueError("it is neither a preprocessor_config.json nor timm's config.json")
    surplus = [key for key in values.keys() - _KNOWN if values[key] not in (None, False)]
    if surplus:
        raise ValueError(f"{', '.join(sorted(surplus))} is not known and may change pixels")
    kind = _kind(values)
    square, code, crops = _PLAIN.get(kind, (None, 2, "crop_size" in values))
    square = values.get("default_to_square", square)
    given: Given = {"floor": True, "resample": _filter(values.get("resample", code))}
    given["resize"] = _hub_size(values.get("size"), square) if _does(values, "resize") else None
    given["crop"] = None
    if values.get("do_center_crop", crops):
        given["crop"] = _rectangle(values.get("crop_size"), "crop_size")
    if kind == "ConvNext" and given["resize"] is not None:
        share = _factor(values.get("crop_pct") or 224 / 256, "crop_pct")
        given.update(_convnext(given["resize"], share))
    factor = _factor(values.get("rescale_factor", 1 / 255), "rescale_factor")
    given["scale"] = factor if _does(values, "rescale") else 1.0
    normalized = _does(values, "normalize")
    given["mean"] = _triple(values.get("image_mean"), "image_mean") if normalized else None
    given["std"] = _positive(values.get("image_std"), "image_std") if normalized else None
    return given


def _does(values: Mapping[str, Any], step: str) -> bool:
    return bool(values.get(f"do_{step}", True))


def _kind(values: Mapping[str, Any]) -> str:
    name = values.get("image_processor_type") or values.get("feature_extractor_type") or ""
    kind = str(name)
    for ending in ("Fast", "Pil", "ImageProcessor", "FeatureExtractor"):
        kind = kind.removesuffix(ending)
    if kind and kind not in _PLAIN:
        raise ValueError(f"{name} is not known; known are {', '.join(_PLAIN)}")
    return kind


def _filter(code: Any) -> str:
    if isinstance(code, bool) or not isinstance(code, int) or not 0 <= code < len(RESAMPLING):
        raise ValueError(f"resample {code!r} is not known; Pillow's codes are 0 to 5")
    return RESAMPLING[code]


def _hub_size(size: Any, square: bool | None) -> Resize:
    if isinstance(size, dict):
        sides = {key: value for key, value in size.items() if value is not None}
        if sides.keys() == {"shortest_edge"}:
            edge = _pixels(sides["shortest_edge"], "size")
            return Resize(edge, edge, shortest=True)
        return Resize(*_rectangle(sides, "size"))
    if not isinstance(size, int):
        raise ValueError("it has no size with shortest_edge, or height and width")
    if square is None:
        raise ValueError("size is one number; write shortest_edge, or height and width")
    edge = _pixels(size, "size")
    return Resize(edge, edge, shortest=not square)


def _rectangle(size: Any, key: str) -> tuple[int, int]:
    if isinstance(size, dict):
        sides = {name: value for name, value in size.items() if value is not None}
        if sides.keys() != {"height", "width"}:
            raise ValueError(f"{key} with {', '.join(sides) or 'nothing'} is not known")
        return _pixels(sides["height"], key), _pixels(sides["width"], key)
    return (_pixels(size, key),) * 2


def _pixels(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**16:
        raise ValueError(f"{key} {value!r} is no number of pixels")
    return value


def _convnext(resize: Resize, share: float) -> Given:
    """Return what ConvNext's processor does: a larger resize and a crop, or below none."""
    edge = resize.height
    if not resize.shortest:
        raise ValueError("ConvNext needs a size with shortest_edge")
    if edge >= _CONVNEXT_WHOLE:
        return {"resize": Resize(edge, edge)}
    larger = int(edge / share)
    return {"resize": Resize(larger, larger, shortest=True), "crop": (edge, edge)}


def _factor(value: Any, key: str) -> float:
    factor = float(value)
    if not SMALLEST_FACTOR <= factor <= 1 / SMALLEST_FACTOR:
        raise ValueError(f"{key} {value!r} is no factor above 0")
    return factor


def _triple(values: Any, key: str) -> tuple[float, ...]:
    numbers = values if isinstance(values, (list, tuple)) else [values]
    if len(numbers) not in (1, 3, 4) or not all(isinstance(n, (int, float)) for n in numbers):
        raise ValueError(f"{key} {values!r} has no number for each channel")
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{key} {values!r} is not finite")
    return tuple(map(float, numbers))


def _positive(values: Any, key: str) -> tuple[float, ...]:
    numbers = _triple(values, key)
    if min(numbers) <= 0:
        raise ValueError(f"{key} {values!r} is not above 0")
    return numbers
