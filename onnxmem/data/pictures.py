"""Small pictures of samples: thumbnails of images, curves of what is one-dimensional."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Mapping

import numpy as np

from onnxmem.data.columns import Column

IMAGE = "data:image/png;base64,"
"""How the text of an image begins; that of a curve is the path of an SVG."""

LARGEST = 40
"""Pixels along the longer side of a thumbnail."""

POINTS = 64
"""Points of a curve."""

CURVE = (96, 32)
"""Width and height that a curve fills."""


def draw(inputs: Mapping[str, Column], rows: Iterable[int], most: int) -> dict[int, str]:
    """Return a picture for each row, as long as all together take no more than `most` characters.

    Args:
        inputs: samples by input; the first that can be drawn is.
        rows: which samples, the most important first.
        most: characters of all pictures.

    Returns:
        Row -> a PNG as a data URI (`IMAGE`), or the path of a curve in a box of `CURVE`; nothing
        where the samples are neither images nor curves.
    """
    chosen = list(dict.fromkeys(rows))
    column = next((one for one in inputs.values() if _kind(one)), None)
    if column is None or not chosen:
        return {}
    values = np.asarray(column[np.array(chosen)], np.float64)
    low, high = np.percentile(values[np.isfinite(values)], [0.5, 99.5])
    scaled = np.clip((np.nan_to_num(values) - low) / max(high - low, 1e-12), 0, 1)
    make = _thumbnail if _kind(column) == "image" else _curve
    pictures, taken = {}, 0
    for row, one in zip(chosen, scaled, strict=True):
        picture = make(one)
        taken += len(picture)
        if taken > most:
            break
        pictures[row] = picture
    return pictures


def _kind(column: Column) -> str:
    """Return what samples of a column can be drawn as, an empty string for nothing."""
    shape = column.shape[1:]
    if column.dtype.kind not in "fiub":
        return ""
    if len(shape) == 3 and (shape[0] in (1, 3) or shape[2] in (1, 3)) and min(shape) > 0:
        return "image"
    if len(shape) == 2 and min(shape) > 1:
        return "image"
    return "curve" if len(shape) in (1, 2) and max(shape, default=0) > 2 else ""


def _thumbnail(values: np.ndarray) -> str:
    """Return an image whose values lie between 0 and 1 as a data URI."""
    pixels = _channels_last(values)
    step = -(-max(pixels.shape[:2]) // LARGEST)
    height, width = (size - size % step for size in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // step, step, width // step, step, -1)
    small = np.rint(255 * blocks.mean(axis=(1, 3))).astype(np.uint8)
    return IMAGE + base64.b64encode(_png(small)).decode("ascii")


def _channels_last(values: np.ndarray) -> np.ndarray:
    if values.ndim == 2:
        return values[..., None]
    return values if values.shape[2] in (1, 3) else np.moveaxis(values, 0, -1)


def _png(pixels: np.ndarray) -> bytes:
    """Return pixels (height, width, 1 or 3) as a PNG.

    Source: Portable Network Graphics (W3C), sections 5 and 11.
    """
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def _curve(values: np.ndarray) -> str:
    """Return values between 0 and 1 as the path of a curve."""
    flat = values.ravel()
    places = np.unique(np.linspace(0, len(flat) - 1, POINTS).round().astype(int))
    x = np.linspace(0, CURVE[0], len(places)).round(1)
    y = ((1 - flat[places]) * CURVE[1]).round(1)
    return "M" + "L".join(f"{a:g} {b:g}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
