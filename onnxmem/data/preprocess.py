"""What a person says about the preprocessing of images: words `KEY=VALUE`, or a file of a hub."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from onnxmem.data.hub_config import read_config
from onnxmem.data.recipe import RESAMPLING, SMALLEST_FACTOR, Given, Resize
from onnxmem.errors import UsageError

_GREY = 114
"""What a letterbox is filled with where nothing is said, as ultralytics does."""


def read_preprocess(texts: Sequence[str]) -> Given:
    """Read `--preprocess`: files and words, of which later ones overrule earlier ones.

    Raises:
        UsageError: a word that is not known, or a value that it does not take.
        DataError: a file that cannot be read, or that asks for what is not known.
    """
    given: Given = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if equals and key in _WORDS:
            given.update(_WORDS[key](value.strip(), key))
        elif equals and not Path(text).exists():
            raise UsageError(
                f"--preprocess {text!r}: unknown word {key!r}; there are {', '.join(_WORDS)}"
            )
        else:
            given.update(read_config(Path(text)))
    return given


def _size(value: str, key: str) -> Given:
    if value == "none":
        return {"resize": None}
    sides = _sides(value, key)
    return {"resize": Resize(*sides) if "x" in value.lower() else Resize(*sides, shortest=True)}


def _crop(value: str, key: str) -> Given:
    return {"crop": None if value == "none" else _sides(value, key)}


def _sides(value: str, key: str) -> tuple[int, int]:
    parts = value.lower().split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"--preprocess {key}={value}: give pixels, as 224 or 224x320, or none")
    height, width = int(parts[0]), int(parts[-1])
    if not 0 < min(height, width) <= max(height, width) < 2**16:
        raise UsageError(f"--preprocess {key}={value}: give 1 to 65535 pixels")
    return height, width


def _letterbox(value: str, key: str) -> Given:
    height, width = _sides(value, key)
    return {"resize": Resize(height, width, fill=_GREY), "crop": None}


def _fill(value: str, key: str) -> Given:
    if not (value.isascii() and value.isdigit() and int(value) < 256):
        raise UsageError(f"--preprocess {key}={value}: give a value of pixels, 0 to 255")
    return {"fill": int(value)}


def _order(value: str, key: str) -> Given:
    if value not in ("rgb", "bgr"):
        raise UsageError(f"--preprocess {key}={value}: give rgb or bgr")
    return {"bgr": value == "bgr"}


def _exif(value: str, key: str) -> Given:
    if value not in ("apply", "ignore"):
        raise UsageError(f"--preprocess {key}={value}: give apply or ignore")
    return {"upright": value == "apply"}


def _resample(value: str, key: str) -> Given:
    if value not in RESAMPLING:
        raise UsageError(f"--preprocess {key}={value}: give one of {', '.join(RESAMPLING)}")
    return {"resample": value}


def _scale(value: str, key: str) -> Given:
    if value == "none":
        return {"scale": None}
    numerator, _, denominator = value.partition("/")
    try:
        scale = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError):
        scale = math.nan
    if not SMALLEST_FACTOR <= abs(scale) <= 1 / SMALLEST_FACTOR:
        raise UsageError(f"--preprocess {key}={value}: give a factor such as 1/255, or none")
    return {"scale": scale}


def _mean(value: str, key: str) -> Given:
    return {"mean": None if value == "none" else _channels(value, key)}


def _std(value: str, key: str) -> Given:
    std = None if value == "none" else _channels(value, key)
    if std is not None and min(std) <= 0:
        raise UsageError(f"--preprocess {key}={value}: deviations are above 0")
    return {"std": std}


def _channels(value: str, key: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in value.strip("[]()").split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3, 4) or not all(map(math.isfinite, numbers)):
        raise UsageError(
            f"--preprocess {key}={value}: give one number, or one for each channel, as "
            "0.485,0.456,0.406"
        )
    return numbers


def _layout(value: str, key: str) -> Given:
    if value == "nchw":
        return {"layout": "nchw"}
    if value == "nhwc":
        return {"layout": "nhwc"}
    raise UsageError(f"--preprocess {key}={value}: give nchw or nhwc")


def _dtype(value: str, key: str) -> Given:
    if value == "uint8":
        return {"scale": None, "mean": None, "std": None}
    if value == "float32":
        return {"scale": 1 / 255}
    raise UsageError(f"--preprocess {key}={value}: give float32 (pixels / 255), or uint8 (0..255)")


_WORDS: Mapping[str, Callable[[str, str], Given]] = {
    "size": _size,
    "crop": _crop,
    "resample": _resample,
    "scale": _scale,
    "mean": _mean,
    "std": _std,
    "layout": _layout,
    "letterbox": _letterbox,
    "fill": _fill,
    "order": _order,
    "exif": _exif,
    "dtype": _dtype,
}
