"""The networks that ship with onnxmem: with known label noise, and the data to audit them.

    from onnxmem import models
    models.manifest()                   # all of them
    models.families("labels")           # names of the families of which only the labels differ
    models.family("mnist-course")       # one family, here the checkpoints of one training
    models.network("mnist-cnn-p100")    # one: .path, .data_path, .p, .train_accuracy, ...

`manifest.json` beside this file is the record of what was trained; `train.py` makes it.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from onnxmem.errors import UsageError

__all__ = ["Network", "UnknownNetworkError", "Varies", "families", "family", "manifest", "network"]

Varies = Literal["labels", "training", "epoch"]

_FOLDER = Path(__file__).parent


class UnknownNetworkError(UsageError, LookupError):
    """There is no shipped network, or no family, of that name."""


@dataclass(frozen=True, slots=True)
class Network:
    """One shipped network and what is known of it.

    Networks of one `family` have one architecture, and differ in what `varies`: in their labels,
    in how they were trained, or in the epoch. `p` is the share of the training labels that a
    uniformly random class replaced, drawn from `seed`; `init` is the seed of the first weights and
    of the batches. Accuracies, 0 to 1, are those of the ONNX file: on all training samples with
    the labels that were given, and on all held-out samples with the true ones. `file` and `data`
    are names within the folder.
    """

    name: str
    file: str
    sha256: str
    data: str
    data_sha256: str
    family: str
    varies: Varies
    p: float
    seed: int
    init: int
    epochs: int
    train_accuracy: float
    heldout_accuracy: float
    train_samples: int
    heldout_samples: int
    parameters: int
    dataset: str
    package: str
    package_version: str
    data_licence: str
    attribution: str
    recipe: str
    torch: str

    @property
    def path(self) -> Path:
        """The ONNX file."""
        return _FOLDER / self.file

    @property
    def data_path(self) -> Path:
        """The `.npz` with the audit data: `x`, `y`, `y_true`, `split`, `id`."""
        return _FOLDER / self.data


@functools.cache
def manifest() -> tuple[Network, ...]:
    """Return all shipped networks, sorted by family, by p, and by epochs."""
    names = [field.name for field in fields(Network)]
    entries = json.loads((_FOLDER / "manifest.json").read_text("utf-8"))["networks"]
    networks = [Network(**{name: entry[name] for name in names}) for entry in entries]
    return tuple(sorted(networks, key=lambda one: (one.family, one.p, one.epochs, one.name)))


def families(varies: Varies) -> tuple[str, ...]:
    """Return the names of the families of which this varies, sorted."""
    return tuple(sorted({one.family for one in manifest() if one.varies == varies}))


def family(name: str) -> tuple[Network, ...]:
    """Return the networks of a family by rising p, then by epochs.

    Raises:
        UnknownNetworkError: there is none; the message names those there are.
    """
    members = tuple(one for one in manifest() if one.family == name)
    if not members:
        known = ", ".join(sorted({one.family for one in manifest()}))
        raise UnknownNetworkError(f"no family {name!r} ships; there are {known}")
    return members


def network(name: str) -> Network:
    """Return the shipped network of that name, for instance `mnist-cnn-p100`.

    Raises:
        UnknownNetworkError: there is none; the message names those there are.
    """
    by_name = {one.name: one for one in manifest()}
    if name not in by_name:
        raise UnknownNetworkError(f"no network {name!r} ships; there are {', '.join(by_name)}")
    return by_name[name]
