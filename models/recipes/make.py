"""Makes networks, their audit data and their entries in the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .datasets import Dataset, Indices, noisy_labels
from .families import Course, Family
from .files import accuracy, sha256, write_audit_data, write_onnx
from .training import Epoch, be_deterministic, epochs

SCHEMA = "onnxmem.models/1"

Entry = dict[str, Any]


def make(
    family: Family, course: Course, dataset: Dataset, seed: int, folder: Path
) -> Iterator[Entry]:
    """Train on labels of which a share is replaced; write and yield each network that is kept.

    Raises:
        RuntimeError: the network did not learn its labels in the time that its schedule allows.
    """
    given = noisy_labels(dataset, course.p, seed)
    share = f"p{round(100 * course.p):02d}"
    data = folder / f"{family.data}-{share}.npz"
    write_audit_data(dataset, given, data)
    be_deterministic(seed + family.init)
    x, y = dataset.x[dataset.train], given[dataset.train]
    rule, schedule = course.rule(len(x)), course.schedule or family.schedule
    run = epochs(family.network(), x, y, schedule, rule)
    for suffix, epoch in _kept(run, course):
        for addition, network in rule.exports(epoch.network).items():
            path = folder / f"{family.name}-{share}{suffix}{addition}.onnx"
            write_onnx(network, dataset.x.shape[1:], path)
            entry: Entry = {"name": path.stem, "family": family.name}
            entry |= {
                "varies": family.varies,
                "p": course.p,
                "seed": seed,
                "init": seed + family.init,
            }
            entry |= {"recipe": family.describe(course), "epochs": epoch.number}
            entry |= _described(dataset) | _measured(dataset, given, network, path)
            entry |= {"data": data.name, "data_sha256": sha256(data)}
            _record(entry, folder / "manifest.json")
            yield entry


def _kept(run: Iterator[Epoch], course: Course) -> Iterator[tuple[str, Epoch]]:
    """Yield the checkpoints that are wanted, each with what its name ends with, and the end."""
    for epoch in run:
        if epoch.number in course.kept:
            yield course.kept[epoch.number], epoch
    yield course.suffix, epoch


def _described(dataset: Dataset) -> Entry:
    source = dataset.source
    return {
        "torch": str(torch.__version__),
        "dataset": source.dataset,
        "package": source.package,
        "package_version": source.package_version,
        "data_licence": source.licence,
        "attribution": source.attribution,
        "train_samples": len(dataset.train),
        "heldout_samples": len(dataset.heldout),
    }


def _measured(dataset: Dataset, given: Indices, network: nn.Sequential, path: Path) -> Entry:
    train, heldout = dataset.train, dataset.heldout
    return {
        "file": path.name,
        "sha256": sha256(path),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "train_accuracy": accuracy(path, dataset.x[train], given[train]),
        "heldout_accuracy": accuracy(path, dataset.x[heldout], dataset.y[heldout]),
    }


def _record(entry: Entry, path: Path) -> None:
    """Put an entry into the manifest, in the place of an older one of that name."""
    entries = json.loads(path.read_text("utf-8"))["networks"] if path.exists() else []
    by_name = {one["name"]: one for one in [*entries, entry]}
    networks = sorted(by_name.values(), key=_order)
    text = json.dumps({"schema": SCHEMA, "networks": networks}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def _order(entry: Entry) -> tuple[Any, ...]:
    return tuple(entry[key] for key in ("family", "p", "epochs", "name"))
