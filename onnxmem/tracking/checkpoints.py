"""Which files are the checkpoints of a course, in which order, and whether they fit together."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from onnxmem import graph
from onnxmem.errors import NoSiteError, UsageError
from onnxmem.network.opening import load_model
from onnxmem.network.settings import RunSettings
from onnxmem.text import printable

_NUMBER = re.compile(r"(\d+)")


def find_checkpoints(places: Iterable[str | Path]) -> list[str]:
    """Return the checkpoints at some places, each once.

    Args:
        places: files, in the order of training; folders, whose `.onnx` files are taken in natural
            order (epoch_2 before epoch_10); or patterns with `*`, `?` or `[...]`, likewise.

    Raises:
        UsageError: a folder holds no `.onnx` file, a pattern meets none, or there are none at all.
    """
    found = [path for place in places for path in _at(str(place))]
    if not found:
        raise UsageError("there is no checkpoint; give files, folders or patterns of .onnx files")
    once = {os.path.realpath(path): path for path in reversed(found)}
    return [path for path in dict.fromkeys(found) if once[os.path.realpath(path)] == path]


def _at(place: str) -> list[str]:
    shown = printable(place, 200)
    if os.path.isdir(place):
        files = [str(one) for one in Path(place).iterdir() if one.suffix.lower() == ".onnx"]
        if not files:
            raise UsageError(f"the folder {shown} holds no .onnx file")
        return sorted(files, key=natural)
    if not os.path.exists(place) and glob.has_magic(place):
        files = [path for path in glob.glob(place) if os.path.isfile(path)]
        if not files:
            raise UsageError(f"no file meets the pattern {shown}")
        return sorted(files, key=natural)
    return [place]


def natural(path: str) -> list[tuple[int, int, str]]:
    """Return what paths are sorted by, numbers in them by their size: epoch_2 before epoch_10."""
    parts = _NUMBER.split(path)
    return [(1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts]


def check_alike(paths: Sequence[str], settings: RunSettings) -> tuple[str, ...]:
    """Check that all files are of one architecture, as far as their graphs tell.

    Activations are matched by their order and not by their names, as exporters name as they like.

    Returns:
        The tensors of the first at which a network is looked at.

    Raises:
        UsageError: they are not; the message names the two that differ, and where.
        NoSiteError: the first has no activation.
        OnnxmemError: a file is no model, or the settings fit none of its activations.
    """
    first: tuple[graph.Site, ...] = ()
    for place, path in enumerate(paths):
        model, sites = load_model(path, settings)
        del model
        if isinstance(sites, NoSiteError):
            raise UsageError(f"{sites}, unlike {_name(paths[0])}") if place else sites
        if not place:
            first = sites
        elif difference := _difference(first, sites):
            raise UsageError(
                f"{_name(path)} is no checkpoint of the architecture of {_name(paths[0])}: "
                f"{difference}"
            )
    return tuple(site.tensor for site in first)


def _difference(one: Sequence[graph.Site], other: Sequence[graph.Site]) -> str:
    """Return how activations differ, in words; empty where they do not as far as is known."""
    if len(one) != len(other):
        return f"{len(other)} activations in place of {len(one)}"
    for first, second in zip(one, other, strict=True):
        tensor = f"at {printable(second.tensor, 60)!r}"
        if first.kind != second.kind:
            return f"{second.kind} in place of {first.kind} {tensor}"
        if not _fit(first.sizes, second.sizes):
            return f"{_shape(second)} in place of {_shape(first)} {tensor}"
    return ""


def _fit(one: Sequence[int | None] | None, other: Sequence[int | None] | None) -> bool:
    """Tell whether sizes may be equal but for the number of samples; what is not known may."""
    if one is None or other is None:
        return True
    pairs = zip(one[1:], other[1:], strict=False)
    return len(one) == len(other) and all(None in pair or pair[0] == pair[1] for pair in pairs)


def _shape(site: graph.Site) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in site.sizes or ())})"


def _name(path: str) -> str:
    return printable(path, 200)
