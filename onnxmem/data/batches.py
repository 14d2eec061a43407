"""Which samples are analyzed together: single-class batches, and mixed ones of the same sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from onnxmem.errors import DataError

FEWEST = 10
"""Smaller single-class batches are noisy; a class with fewer samples is left out."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples that are factorized as one matrix.

    Attributes:
        label: the class, or the number of a mixed batch.
        rows: their positions within the selection.
    """

    label: int
    rows: np.ndarray


@dataclass(frozen=True, slots=True)
class Selection:
    """The samples of an audit.

    Attributes:
        rows: (n,) their positions in the data.
        labels: (n,) the label that groups them.
        single: one batch for each class.
        mixed: batches of the same sizes, each sample in exactly one.
        left_out: classes with too few samples.
    """

    rows: np.ndarray
    labels: np.ndarray
    single: tuple[Batch, ...]
    mixed: tuple[Batch, ...]
    left_out: tuple[int, ...]

    def batches(self, kind: str) -> tuple[Batch, ...]:
        """Return the batches of a kind: `class` or `mixed`."""
        return self.single if kind == "class" else self.mixed

    def fingerprint(self, digests: np.ndarray) -> str:
        """Return a hash of which samples stand in which batch, by their `digests` (samples,)."""
        whole = hashlib.sha256()
        for batch in (*self.single, *self.mixed):
            whole.update(f"{batch.label} {len(batch.rows)} ".encode())
            whole.update(b"".join(digests[self.rows[batch.rows]].tolist()))
        return whole.hexdigest()


def draw(
    labels: np.ndarray, digests: np.ndarray, per_class: int, seed: int, multiple: int = 1
) -> Selection:
    """Choose `per_class` samples of every class, and group them.

    The choice depends on the samples and the seed, not on their order: each class is brought
    into the order of its digests before anything is drawn.

    Args:
        labels: (samples,) the label that groups each sample.
        digests: (samples,) a hash of each sample.
        per_class: samples of each class; a class that has fewer gives all it has, if they are
            at least `FEWEST` (or `per_class`, where that is smaller).
        seed: of the choice.
        multiple: the size of every batch is a multiple of this.

    Raises:
        DataError: no class has enough samples.
    """
    per_class = max(multiple, per_class - per_class % multiple)
    fewest = max(min(FEWEST, per_class), multiple)
    classes, counts = np.unique(labels, return_counts=True)
    found = zip(classes.tolist(), counts.tolist(), strict=True)
    used = {label: count for label, count in found if count >= fewest}
    if not used:
        most = int(counts.max())
        raise DataError(
            f"too few samples: the largest class has {most}, a batch needs at least {fewest}; "
            "give more data, or a smaller --per-class"
        )
    sizes = {label: min(per_class, count - count % multiple) for label, count in used.items()}
    chosen = [_choose(labels, digests, label, sizes[label], seed) for label in used]
    edges = np.cumsum([0, *map(len, chosen)])
    places = [np.arange(low, high) for low, high in pairwise(edges)]
    return Selection(
        rows=np.concatenate(chosen),
        labels=np.repeat(list(used), np.diff(edges)),
        single=tuple(Batch(label, rows) for label, rows in zip(used, places, strict=True)),
        mixed=_mix(places, seed),
        left_out=tuple(int(label) for label in classes if int(label) not in used),
    )


def _choose(
    labels: np.ndarray, digests: np.ndarray, label: int, count: int, seed: int
) -> np.ndarray:
    members = np.flatnonzero(labels == label)
    members = members[np.argsort(digests[members], kind="stable")]
    picked = np.random.default_rng([seed, label % 2**64]).permutation(len(members))[:count]
    return members[np.sort(picked)]


def _mix(places: Sequence[np.ndarray], seed: int) -> tuple[Batch, ...]:
    shuffled = np.random.default_rng([seed, 0x313C]).permutation(np.concatenate(places))
    parts = np.split(shuffled, np.cumsum([len(part) for part in places])[:-1])
    return tuple(Batch(number, np.sort(part)) for number, part in enumerate(parts))
