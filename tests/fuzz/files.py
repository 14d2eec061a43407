"""Data, images, configurations and reports with something wrong in them."""

from __future__ import annotations

import io
import json
import os
import random
import zipfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import report_samples
from PIL import Image

from onnxmem.report import render

ODD: tuple[Any, ...] = (None, True, -1, 0, 7, 10**400, 0.5, 1e-320, "", "x", "\ud800", "é\x00\n",
                        "A" * 3000, [], {}, [[]], ["x"] * 9, {"a": {"b": 1}})  # fmt: skip


def bits(content: bytes, rng: random.Random) -> bytes:
    """Return bytes with some of them changed, cut off, doubled or none."""
    changed = bytearray(content)
    kind = rng.random()
    if kind < 0.15:
        return bytes(changed[: rng.randrange(len(changed) + 1)])
    if kind < 0.25:
        at = rng.randrange(len(changed))
        return bytes(changed[:at] + changed[at : at + 64] * 3 + changed[at:])
    for _ in range(rng.choice((0, 1, 2, 8, 30))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def arrays(rng: random.Random) -> dict[str, Any]:
    """Return samples of six numbers in three classes, with something odd about them."""
    draw = np.random.default_rng(rng.randrange(1000))
    count = rng.choice((0, 1, 2, 5, 24, 24, 24, 45))
    found: dict[str, Any] = {
        "x": draw.normal(size=(count, 6)).astype(np.float32),
        "y": np.arange(count) % 3,
    }
    for _ in range(rng.choice((0, 1, 1, 2))):
        name = rng.choice(("x", "y", "id", "split", "y_true", "label", "w", "", "a/../b", "é"))
        found[name] = _odd(rng, draw, count)
    for name in list(found):
        if rng.random() < 0.05:
            del found[name]
    return found


def _odd(rng: random.Random, draw: np.random.Generator, count: int) -> np.ndarray:
    return rng.choice(
        (
            lambda: draw.normal(size=(count, 6)),
            lambda: np.full((count, 6), rng.choice((np.nan, np.inf, 1e300, 1e-300))),
            lambda: draw.normal(size=(count, rng.choice((0, 1, 5, 7)))).astype(np.float16),
            lambda: draw.integers(-5, 300, size=(count, 2, 3)),
            lambda: np.array(rng.choice((3, 0.5, "word", True))),
            lambda: np.array(rng.choices(("train", "test", "VAL", "", "é"), k=count), str),
            lambda: np.array(rng.choices((b"a", b"b"), k=count), bytes),
            lambda: draw.integers(0, 3, count).astype(rng.choice(("u1", "i8", "f4", "?", "M8[s]"))),
            lambda: np.arange(count)[::-1] + rng.choice((-7, 1, 2**40)),
            lambda: np.zeros(count, [("a", "f4"), ("b", "i2")]),
            lambda: (draw.normal(size=count) + 1j),
        )
    )()  # fmt: skip


def npz(path: Path, rng: random.Random) -> None:
    """Write an archive, of which members or bytes may be wrong."""
    stream = io.BytesIO()
    with zipfile.ZipFile(
        stream, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    ) as file:
        for name, array in arrays(rng).items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asanyarray(array))
            content = member.getvalue()
            file.writestr(f"{name}.npy", bits(content, rng) if rng.random() < 0.2 else content)
        if rng.random() < 0.1:
            file.writestr(rng.choice(("readme", "folder/", "x.npy")), bytes(1 << 22))
    content = stream.getvalue()
    path.write_bytes(bits(content, rng) if rng.random() < 0.4 else content)


def table(path: Path, rng: random.Random) -> None:
    """Write a Parquet or Arrow file, of which columns or bytes may be wrong."""
    columns = {}
    for name, array in arrays(rng).items():
        try:
            values = list(np.asarray(array)) if np.ndim(array) > 1 else np.asarray(array)
            columns[name] = pa.array(values)
        except (pa.ArrowException, TypeError, ValueError):
            continue
    if len({len(column) for column in columns.values()}) > 1 or not columns:
        columns = {"x": pa.array([[1.0] * 6] * 9), "y": pa.array([0, 1, 2] * 3)}
    stream, whole = io.BytesIO(), pa.table(columns)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(whole, stream, row_group_size=rng.choice((1, 7, 100)))
    else:
        pyarrow.feather.write_feather(
            whole, stream, compression=rng.choice(("lz4", "uncompressed"))
        )
    content = stream.getvalue()
    path.write_bytes(bits(content, rng) if rng.random() < 0.6 else content)


def images(folder: Path, rng: random.Random) -> None:
    """Write a folder of images in classes, with other things among them."""
    for name in rng.choice((("a", "b"), ("0", "1", "2"), ("train", "test"), ("a",))):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(rng.choice((0, 1, 3, 9))):
            _image(folder / name / f"{number}", rng)
    if rng.random() < 0.2:
        os.mkfifo(folder / rng.choice(("x.npy", "1.png", "t.parquet")))
    if rng.random() < 0.2:
        (folder / "link").symlink_to(rng.choice((folder, Path("/dev/zero"), Path("/nowhere"))))


def _image(path: Path, rng: random.Random) -> None:
    kind = rng.choice(("png", "jpg", "tiff", "bmp", "webp", "ppm"))
    mode = rng.choice(("L", "RGB", "RGB", "RGBA", "P", "1", "I;16", "F", "CMYK"))
    size = rng.choice(((2, 3), (3, 2), (1, 1), (40, 30), (1, 900)))
    stream = io.BytesIO()
    options = (
        {"compression": rng.choice(("tiff_lzw", "jpeg", "tiff_deflate"))} if kind == "tiff" else {}
    )
    try:
        Image.new(mode, size).save(stream, {"jpg": "jpeg"}.get(kind, kind), **options)
    except (OSError, ValueError, KeyError):
        stream = io.BytesIO()
        Image.new("RGB", size).save(stream, "png")
    content = stream.getvalue()
    path.with_suffix(f".{kind}").write_bytes(bits(content, rng) if rng.random() < 0.3 else content)


PREPARATIONS: tuple[dict[str, Any], ...] = (
    {"image_processor_type": "ViTImageProcessor", "size": {"height": 2, "width": 3},
     "do_resize": True, "do_rescale": True, "rescale_factor": 0.01, "do_normalize": True,
     "image_mean": [0.5], "image_std": [0.5], "resample": 2},
    {"input_size": [1, 2, 2], "crop_pct": 0.9, "interpolation": "bicubic", "mean": [0.5],
     "std": [0.5], "crop_mode": "center"},
)  # fmt: skip


def odd_json(value: Any, rng: random.Random, times: int) -> str:
    """Return JSON text of `value` after some of its places have been given odd values."""
    whole = deepcopy(value)
    for _ in range(times):
        holder, key = rng.choice(list(_places(whole)))
        if isinstance(holder, dict) and rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = deepcopy(rng.choice(ODD))
    text = json.dumps(whole)
    if rng.random() < 0.1:
        return "[" * rng.choice((9, 100_000)) + text
    return text


def _places(value: Any) -> Any:
    keys = (
        list(value)
        if isinstance(value, dict)
        else range(len(value))
        if isinstance(value, list)
        else ()
    )
    for key in keys:
        yield value, key
        yield from _places(value[key])


def preparation(path: Path, rng: random.Random) -> None:
    """Write a file of preprocessing."""
    path.write_text(odd_json(rng.choice(PREPARATIONS), rng, rng.choice((0, 1, 1, 2))))


def report(path: Path, rng: random.Random) -> None:
    """Write a report with odd values in it."""
    maker = report_samples.ALL[rng.choice(sorted(report_samples.ALL))]
    values = json.loads(render(maker(), "json"))
    path.write_text(odd_json(values, rng, rng.choice((0, 1, 1, 1, 2))))


KEYS = ("per-class", "ranks", "compress", "batch", "layers", "kind", "seed", "json", "html",
        "fail-under", "fail-over", "memory", "quiet", "verbose", "exact", "bind", "preprocess",
        "min-accuracy", "max-drop", "baseline", "device", "metric", "samples-path", "cache",
        "label-column", "unknown", "per_class")  # fmt: skip
VALUES = ("1", "-1", "0", "5", "0.5", "nan", "inf", "true", "false", '"x"', '""', '"mixed"',
          '"nmf"', '"../x"', '"/tmp/x"', '"m.onnx"',
          '"d.npz"', '"r.json"', '"."', "[]", "[1, 2]", "[[1]]",
          '["nmf", "pca"]', "{}", '{"nmf.mixed" = 0.5}', "{a.b.c = 1}", "1979-05-27", "07:32:00",
          "9" * 400, '"\\u0000"', '"1k"', '"1T"', "[" * 2000 + "]" * 2000,
          "{" + ".".join("a" * 1500) + " = 1}")  # fmt: skip


def configuration(path: Path, rng: random.Random) -> None:
    """Write an `onnxmem.toml` of odd keys and values."""
    lines = [f"{rng.choice(KEYS)} = {rng.choice(VALUES)}" for _ in range(rng.choice((1, 1, 2, 4)))]
    text = "\n".join(dict.fromkeys(lines))
    if rng.random() < 0.1:
        text = bits(text.encode(), rng).decode("latin-1")
    path.write_text(text, "latin-1" if rng.random() < 0.05 else "utf-8")
