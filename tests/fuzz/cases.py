"""Cases: files in a folder, the command that reads them, and the files that it may write."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

from . import files, models

QUICK = ("--per-class", "5", "--ranks", "1,2", "--compress", "nmf", "--batch", "mixed",
         "--device", "cpu", "-q")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A command, and the files and folders that it may write where it ends well."""

    arguments: tuple[str, ...]
    outputs: frozenset[str] = frozenset()


def model(folder: Path, rng: random.Random) -> Case:
    """Return a command on a changed model."""
    (folder / "m.onnx").write_bytes(models.changed(rng))
    (folder / "weights.bin").write_bytes(bytes(1000))
    os.mkfifo(folder / "fifo")
    (folder / "link").symlink_to("/etc/passwd")
    files.npz(folder / "d.npz", random.Random(0))
    return rng.choice(
        (
            Case(("inspect", "m.onnx")),
            Case(("inspect", "m.onnx", "--verify", "--device", "cpu", "--kind", "any")),
            Case(("inspect", "m.onnx", "--json", "o.json", "-q"), frozenset({"o.json"})),
            Case(("expose", "m.onnx", "-o", "e.onnx"), frozenset({"e.onnx", "e.onnx.data"})),
            Case(("split", "m.onnx", "--at", "r", "-o", "parts"), frozenset({"parts"})),
            Case(("split", "m.onnx", "--at", "a", "-o", "parts"), frozenset({"parts"})),
            Case(("audit", "m.onnx", "--data", "d.npz", *QUICK)),
            Case(
                ("samples", "m.onnx", "--data", "d.npz", "--csv", "s.csv", "-q"),
                frozenset({"s.csv"}),
            ),
        )
    )  # fmt: skip


def _sound(folder: Path, rng: random.Random) -> None:
    onnx.save(models.sample(rng), folder / "m.onnx")


def data(folder: Path, rng: random.Random) -> Case:
    """Return an audit of a sound model on odd data."""
    _sound(folder, rng)
    name = rng.choice(("d.npz", "d.npz", "d.parquet", "d.arrow", "d.feather"))
    (files.npz if name == "d.npz" else files.table)(folder / name, rng)
    more = rng.choice(
        ((), (), ("--label-column", "label"), ("--split", "test"), ("--memory", "1M"))
    )
    ends = (Case(("audit", "m.onnx", "--data", name, *QUICK, *more)),
            Case(("samples", "m.onnx", "--data", name, "--device", "cpu", "-q")),
            Case(("inspect", "m.onnx", "--verify", "--data", name, "-q")))  # fmt: skip
    return rng.choice(ends)


def image(folder: Path, rng: random.Random) -> Case:
    """Return an audit of a sound model on a folder of odd images."""
    _sound(folder, rng)
    files.images(folder / "d", rng)
    files.preparation(folder / "p.json", rng)
    words = rng.choice((("p.json",), ("size=2x3",), ("size=2", "crop=2x3", "scale=1/255"), ()))
    prepared = [word for one in words for word in ("--preprocess", one)]
    return Case(("audit", "m.onnx", "--data", "d", *QUICK, *prepared))


def config(folder: Path, rng: random.Random) -> Case:
    """Return an audit with an odd configuration."""
    _sound(folder, rng)
    files.npz(folder / "d.npz", random.Random(3))
    files.configuration(folder / "onnxmem.toml", rng)
    return Case(("audit", "m.onnx", "--data", "d.npz"), frozenset({"x", "r.json"}))


def report(folder: Path, rng: random.Random) -> Case:
    """Return a command on an odd report."""
    files.report(folder / "r.json", rng)
    names = ("html", "markdown", "junit", "sarif")
    wanted = [part for name in names for part in (f"--{name}", f"o.{name}")]
    if rng.random() < 0.3:
        files.report(folder / "s.json", rng)
        return Case(("compare", "r.json", "s.json", "-q", *wanted), frozenset(wanted[1::2]))
    return Case(("report", "r.json", *wanted), frozenset(wanted[1::2]))


KINDS: dict[str, tuple[Callable[[Path, random.Random], Case], int]] = {
    "model": (model, 8), "data": (data, 4), "image": (image, 2), "config": (config, 2),
    "report": (report, 3),
}  # fmt: skip
"""What makes a case, and how often among the others."""


def make(folder: Path, seed: str) -> tuple[str, Case]:
    """Fill a folder; return the kind of the case, and the case."""
    rng = random.Random(seed)
    kind = rng.choices(list(KINDS), [share for _, share in KINDS.values()])[0]
    return kind, KINDS[kind][0](folder, rng)
