"""What every task of a spread audit is told: paths, words and settings, no arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from onnxmem.auditing.settings import Settings
from onnxmem.cache import Store
from onnxmem.links import are_trusted
from onnxmem.records import Report


@dataclass(frozen=True, slots=True)
class Reading:
    """How samples are read; see `onnxmem.data.load`.

    Attributes:
        path, labels, label_column, class_names, preprocess: as `load` takes them.
        held_out: path of other data with samples that the network was not trained on.
        splits: plain names of the splits that hold such samples.
    """

    path: str
    labels: str | None = None
    label_column: str = "y"
    class_names: str | None = None
    preprocess: tuple[str, ...] = ()
    held_out: str | None = None
    splits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Job:
    """An audit that is spread.

    Attributes:
        model: path of the ONNX file.
        reading: of the samples.
        settings: of the audit.
        cache: the folder where results meet, and the bytes that it may hold.
        lease: a file there for as long as somebody waits for the results.
        partners: how many processes, which do nothing else, share this machine; None: tasks go to
            an executor of others, and one core is taken for each.
        baseline: an earlier report that scores are held against.
        trust_links: whether weights behind links are read wherever they lead.
    """

    model: str
    reading: Reading
    settings: Settings
    cache: tuple[str, int]
    lease: str = ""
    partners: int | None = None
    baseline: Report | None = None
    trust_links: bool = False


def make_job(
    model: str | Path,
    reading: Reading,
    settings: Settings,
    store: Store,
    workers: int | None,
    baseline: Report | None = None,
) -> Job:
    """Return the job of an audit; `workers` are processes of this machine, None: of others."""
    cache = str(store.folder.absolute()), store.limit
    return Job(anywhere(str(model)), reading, settings, cache, "", workers, baseline, are_trusted())


def anywhere(path: str) -> str:
    """Return a path that means the same in every current folder; words that are none stay."""
    return os.path.abspath(path) if os.path.exists(path) else path
