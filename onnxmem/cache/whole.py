"""Whole reports, found by the bytes of what was read and by all that was asked.

A repeated audit then needs neither the network nor its samples, and imports no library that runs
one. Each key holds everything that a report depends on; where that cannot be told without a look
at more than a few files, there is no key.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from onnxmem.cache import surroundings
from onnxmem.cache.store import Store
from onnxmem.records import CACHED_LAYERS, Report

_LARGEST = 2**30
"""Bytes of files beyond which reading them twice is no gain to speak of."""

_CHUNK = 2**20
_EXTERNAL = b"location"
"""Stands in every ONNX file whose weights lie in others."""


def report_key(
    model: str, files: Iterable[str], asked: Mapping[str, Any], device: str
) -> str | None:
    """Return a SHA-256 of what the report of an audit depends on.

    Args:
        model: path of the ONNX file.
        files: all other paths that are read; those that are no path stand in `asked`.
        asked: every option that may change the report, in plain types.
        device: as the option names it.

    Returns:
        The key; None where a report may depend on more: on weights in other files, on a folder, on
        a GPU.
    """
    if device != "cpu" and (device != "auto" or surroundings.may_have_cuda()):
        return None
    paths = [model, *(path for path in files if os.path.lexists(path))]
    try:
        if sum(map(_size, paths)) > _LARGEST:
            return None
        contents, external = zip(*map(_digest, paths), strict=True)
    except (OSError, ValueError):
        return None
    if external[0]:
        return None
    known = {
        "kind": "whole report",
        "paths": paths,
        "contents": contents,
        "asked": dict(asked),
        "device": device,
        "code": surroundings.code_identity(),
        "installed": surroundings.installed(),
        "machine": surroundings.machine(),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=repr).encode()).hexdigest()


def today() -> str:
    """Return the day on which waivers are judged."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _size(path: str) -> int:
    """Return the bytes of a regular file.

    Raises:
        ValueError: it is a folder, a pipe or a device.
    """
    if not os.path.isfile(path):
        raise ValueError(path)
    return os.path.getsize(path)


def _digest(path: str) -> tuple[str, bool]:
    """Return the SHA-256 of a file, and whether it may be a model with weights in others."""
    digest, external, end = hashlib.sha256(), False, b""
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            external = external or _EXTERNAL in end + chunk
            end = chunk[-len(_EXTERNAL) :]
    return digest.hexdigest(), external


def recall(store: Store, key: str) -> Report | None:
    """Return the report that was kept, None where there is none.

    Its `timings` are those of the run that measured it, and say that all layers were known.
    """
    content = store.get(key)
    if content is None:
        return None
    try:
        report = msgspec.msgpack.decode(content, type=Report)
    except (msgspec.DecodeError, ValueError):
        store.drop(key)
        return None
    return replace(report, timings=report.seconds | {CACHED_LAYERS: float(len(report.layers))})


def keep(store: Store, key: str, report: Report) -> None:
    """Keep a report from which nothing is missing; others are measured again."""
    failed = any(layer.status == "skipped" for layer in report.layers)
    if report.measured and report.layers and not failed and report.verdict != "inconclusive":
        store.put(key, msgspec.msgpack.encode(report))


def page_key(report: Report) -> str:
    """Return a SHA-256 of what the page of a report depends on."""
    shown = replace(report, timings=report.seconds)
    digest = hashlib.sha256(b"page of a report")
    digest.update(_as_bytes(shown))
    known = surroundings.code_identity(), surroundings.templates_identity()
    digest.update(repr((*known, surroundings.installed())).encode())
    return digest.hexdigest()


def _as_bytes(report: Report) -> bytes:
    """Return bytes that are those of this report alone.

    A report from a file may hold half a surrogate pair, and integers of any length.
    """
    try:
        return msgspec.msgpack.encode(report)
    except (UnicodeEncodeError, OverflowError):
        return repr(report).encode("utf-8", "surrogatepass")
