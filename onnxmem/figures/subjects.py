"""The networks that figures are drawn of: those that ship, or files with their data."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import onnxmem.models as models
from onnxmem.data import Column, load
from onnxmem.errors import UsageError
from onnxmem.text import file_name, printable


@dataclass(frozen=True, slots=True)
class Subject:
    """A network with its data.

    Attributes:
        name: what charts call it.
        path: the ONNX file.
        data: the file with samples, `y`, and where they are known `y_true` and `split`.
        p: share of training labels that were replaced at random, None where that is not known.
    """

    name: str
    path: str
    data: str
    p: float | None

    @property
    def noise(self) -> float:
        """What charts sort by: `p`, 0 where it is not known."""
        return self.p or 0.0

    def arrays(self) -> dict[str, Column]:
        """Return the data, read once."""
        return dict(_read(self.data))


@functools.lru_cache(maxsize=8)
def _read(path: str) -> Mapping[str, Column]:
    return load(path)


def shipped(names: Sequence[str]) -> list[Subject]:
    """Return shipped networks by their names, or those of families.

    Raises:
        UsageError: there is neither of that name.
    """
    families = {one.family for one in models.manifest()}
    found = [
        network
        for name in names
        for network in (models.family(name) if name in families else [models.network(name)])
    ]
    return [Subject(one.name, str(one.path), str(one.data_path), one.p) for one in found]


def given(paths: Sequence[str], data: Sequence[str]) -> list[Subject]:
    """Return networks from files.

    Args:
        paths: their ONNX files.
        data: the file that all were trained on, or one for each.

    Raises:
        UsageError: there are neither as many data as networks nor one.
    """
    if len(data) not in (1, len(paths)):
        raise UsageError(
            f"{len(paths)} networks, {len(data)} --data: give one for all, or one for each"
        )
    files = list(data) * len(paths) if len(data) == 1 else list(data)
    return [
        Subject(printable(Path(file_name(path)).stem, 60), path, file, _replaced(file))
        for path, file in zip(paths, files, strict=True)
    ]


def _replaced(file: str) -> float | None:
    """Return the p of data that hold the true labels as well; (C − 1)/C of it are wrong labels."""
    arrays = _read(file)
    if not {"y", "y_true"} <= set(arrays):
        return None
    labels, true = np.asarray(arrays["y"]), np.asarray(arrays["y_true"])
    if "split" in arrays:
        chosen = np.asarray(arrays["split"]) == "train"
        labels, true = labels[chosen], true[chosen]
    classes = len(np.unique(labels))
    wrong = float((labels != true).mean()) if len(labels) else 0.0
    return min(1.0, wrong * classes / (classes - 1)) if classes > 1 else None
