"""Makes networks, their audit data and their entries in the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from .datasets import Dataset, Indices, noisy_labels
from .families import Family
from .files import accuracy, sha256, write_audit_data, write_onnx
from .training import Epoch, be_deterministic, epochs

SCHEMA = "onnxmem.models/1"

Entry = dict[str, Any]


def make(family: Family, dataset: Dataset, p: float, seed: int, folder: Path) -> Iterator[Entry]:
    """Train on labels of which a share `p` is replaced; write and yield each network that is kept.

    Raises:
        RuntimeError: the network did not learn its labels in the time that its schedule allows.
    """
    given = noisy_labels(dataset, p, seed)
    name = f"{family.name}-p{round(100 * p):02d}"
    data = folder / f"{name}.npz"
    write_audit_data(dataset, given, data)
    be_deterministic(seed)
    x, y = dataset.x[dataset.train], given[dataset.train]
    run = epochs(family.network(), x, y, family.schedule)
    for suffix, epoch in _kept(run, family.early.get(p)):
        path = folder / f"{name}{suffix}.onnx"
        write_onnx(epoch.network, dataset.x.shape[1:], path)
        entry = {"name": path.stem, "family": family.name, "p": p, "seed": seed}
        entry |= _described(family, dataset) | _measured(dataset, given, epoch, path)
        entry |= {"data": data.name, "data_sha256": sha256(data)}
        _record(entry, folder / "manifest.json")
        yield entry


def _kept(run: Iterator[Epoch], early: int | None) -> Iterator[tuple[str, Epoch]]:
    """Yield the early checkpoint, where one is wanted, and the last epoch."""
    for epoch in run:
        if epoch.number == early:
            yield "-early", epoch
    yield "", epoch


def _described(family: Family, dataset: Dataset) -> Entry:
    source = dataset.source
    return {
        "recipe": family.describe(),
        "torch": str(torch.__version__),
        "dataset": source.dataset,
        "package": source.package,
        "package_version": source.package_version,
        "data_licence": source.licence,
        "attribution": source.attribution,
        "train_samples": len(dataset.train),
        "heldout_samples": len(dataset.heldout),
    }


def _measured(dataset: Dataset, given: Indices, epoch: Epoch, path: Path) -> Entry:
    train, heldout = dataset.train, dataset.heldout
    return {
        "file": path.name,
        "sha256": sha256(path),
        "epochs": epoch.number,
        "parameters": sum(parameter.numel() for parameter in epoch.network.parameters()),
        "train_accuracy": accuracy(path, dataset.x[train], given[train]),
        "heldout_accuracy": accuracy(path, dataset.x[heldout], dataset.y[heldout]),
    }


def _record(entry: Entry, path: Path) -> None:
    """Put an entry into the manifest, in the place of an older one of that name."""
    entries = json.loads(path.read_text("utf-8"))["networks"] if path.exists() else []
    by_name = {one["name"]: one for one in [*entries, entry]}
    networks = sorted(by_name.values(), key=lambda one: (one["family"], one["p"], one["epochs"]))
    text = json.dumps({"schema": SCHEMA, "networks": networks}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
