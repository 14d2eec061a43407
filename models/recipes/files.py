"""Writes what is shipped: the ONNX file, the audit data, and what the exported file achieves."""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from onnxmem.runtime import load_onnxruntime

from .datasets import Dataset, Floats, Indices

OPSET = 17
HELDOUT_PER_CLASS = 20


def write_onnx(network: nn.Sequential, shape: tuple[int, ...], path: Path) -> None:
    """Export with input `x` (batch, *shape), output `logits` (batch, classes), free batch axis."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (torch.zeros(1, *shape),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["x"],
            output_names=["logits"],
            dynamic_axes={"x": {0: "batch"}, "logits": {0: "batch"}},
        )


def accuracy(path: Path, x: Floats, y: Indices) -> float:
    """Return the share of `x` (n, ...) that the exported network gives its label in `y` (n,)."""
    runtime = load_onnxruntime()
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"x": x})
    return float(np.mean(logits.argmax(axis=1) == y))


def write_audit_data(dataset: Dataset, given: Indices, path: Path) -> None:
    """Write the data: `x`, `y`, `y_true`, `split`, `id`.

    All training samples, then up to 20 held-out ones of each true class; `y` is what the network
    was trained on, and the true class of what it never saw.
    """
    heldout = _first_of_each(dataset.heldout, dataset.y, HELDOUT_PER_CLASS)
    chosen = np.concatenate([dataset.train, heldout])
    arrays = {
        "x": dataset.x[chosen],
        "y": given[chosen],
        "y_true": dataset.y[chosen],
        "split": np.repeat(["train", "heldout"], [len(dataset.train), len(heldout)]),
        "id": chosen,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_BZIP2  # packs these data best
            archive.writestr(member, content.getvalue())


def sha256(path: Path) -> str:
    """Return the hexadecimal digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _first_of_each(indices: Indices, labels: Indices, count: int) -> Indices:
    """Return, sorted, up to `count` of `indices` for each label, chosen with a fixed seed.

    No integer seed gives this stream, so the choice is independent of which labels are noise.
    """
    shuffled = np.random.default_rng(list(b"audit")).permutation(indices)
    chosen = [shuffled[labels[shuffled] == label][:count] for label in np.unique(labels[indices])]
    return np.sort(np.concatenate(chosen))
