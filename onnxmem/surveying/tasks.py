"""What a worker is handed, and what it gives back: paths and words, no arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onnxmem.records import SurveyedModel


@dataclass(frozen=True, slots=True)
class Task:
    """One model to audit, as any process on any machine with the same files can.

    Attributes:
        name: what its files are called.
        path, data: of the model and its data, as they were given.
        arguments: of `onnxmem audit`, without the outputs.
        folder: the current folder, from which relative paths count.
        out: where the reports go.
        lease: a file in `out` that is there as long as the survey lives.
        files: that the audit reads besides the model; all that changes them changes the result.
        digest: a hash of the arguments and of the versions of what measures.
        memory: bytes of data that the child may hold.
        timeout: seconds that it may take, None for as long as it likes.
        confined: whether the child enters its room, see `onnxmem.sandbox`.
        discarded: options of outputs that a configuration sets for every audit, not kept here.
    """

    name: str
    path: str
    data: str
    arguments: tuple[str, ...]
    folder: str
    out: str
    lease: str
    files: tuple[str, ...]
    digest: str
    memory: int
    timeout: float | None = None
    confined: bool = True
    discarded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """A file that an audit read, as it was then; of a folder, `sha256` is that of its listing."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a model: its row, and by what it was found.

    `digest` is that of the task, `inputs` are empty where the process died too early to tell.
    """

    model: SurveyedModel
    digest: str
    inputs: tuple[Input, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended: by itself, or its child died, or the survey stopped it."""

    kept: Kept
    end: Literal["itself", "died", "stopped"] = "itself"
