"""What `onnxmem track` finds of a course of training: checkpoints, the one to keep, samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from onnxmem.errors import DataError
from onnxmem.records.evidence import Estimate
from onnxmem.records.report import DataInfo, Tool

TRACK_SCHEMA = "onnxmem.track/1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint.

    Attributes:
        path: its file, and `sha256` a hash of it.
        train_accuracy: on the labels that it was trained on.
        memorized_share: of the training samples, see `NetworkEvidence`.
        others_fitted, suspects_fitted: the share of the training samples that are no suspects, and
            of the suspects, that it gives the label they came with; None where there are none.
        agreement: for each of the layers, the share of held-out inputs of which it says what most
            of their 10 nearest training samples are labelled with; None where a layer has no
            neighbours. Empty without held-out inputs.
        agreement_mean, agreement_low, agreement_high: mean over the layers, by which a checkpoint
            is chosen, and its 95 % bootstrap interval over the inputs.
        held_out_accuracy: on held-out samples, None where they have no labels.
    """

    path: str
    sha256: str
    train_accuracy: float
    memorized_share: Estimate
    others_fitted: float | None
    suspects_fitted: float | None
    agreement: tuple[float | None, ...] = ()
    agreement_mean: float | None = None
    agreement_low: float | None = None
    agreement_high: float | None = None
    held_out_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which checkpoint to keep, and how sure that is. Intervals are of paired resamples.

    Attributes:
        path: the checkpoint of largest mean agreement, the first of several.
        agreement: that mean, with its interval.
        repeated: the share of resamples of the held-out inputs that choose the same.
        runner_up: the second best, None where there is one checkpoint alone.
        lead: by how much the agreement of the choice is larger than that of the runner-up.
        runner_up_cost: by how much the held-out accuracy of the runner-up is smaller; below 0
            where it is larger. None without labels of held-out samples, as all that follows.
        regret: by how much the best held-out accuracy of all checkpoints is larger than that of
            the choice.
        last_regret: the same of the last checkpoint.
    """

    path: str
    agreement: Estimate
    repeated: float
    runner_up: str | None = None
    lead: Estimate | None = None
    runner_up_cost: Estimate | None = None
    regret: float | None = None
    last_regret: float | None = None


@dataclass(frozen=True, slots=True)
class TrackedSample:
    """One training sample over the course.

    Attributes:
        id, row: what the data call it, and where it stands there.
        label: that it came with.
        margin: by how much another label has more neighbours, mean over the checkpoints: the score
            of a sample, the larger the more suspect.
        fitted_from: the first checkpoint from which on all give its label, counted from 0; None
            where the last does not.
        fitted: the share of checkpoints that give its label.
        suspect: counted among the suspects.
    """

    id: str
    row: int
    label: int
    margin: float
    fitted_from: int | None
    fitted: float
    suspect: bool


@dataclass(frozen=True, slots=True)
class TrackReport:
    """A course of training.

    `chosen` is None where `reason` says why no checkpoint is. `suspects_from` is `margin` where the
    neighbours tell which samples are suspects, `file` where somebody did.
    """

    schema: str
    tool: Tool
    data: DataInfo
    settings: dict[str, Any]
    environment: dict[str, Any]
    layers: tuple[str, ...]
    checkpoints: tuple[Checkpoint, ...]
    chosen: str | None
    choice: Choice | None
    held_out_samples: int
    suspects_from: str
    samples: tuple[TrackedSample, ...]
    reason: str = ""
    notes: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the command line returns: 0 where something was measured, else 3."""
        return 0 if self.checkpoints else 3

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types: dictionaries, lists, strings, numbers and None."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrackReport:
        """Return the report that `to_dict` turned into `values`.

        Raises:
            DataError: a field is missing or has the wrong type; the message says which.
        """
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataError(f"this is no {TRACK_SCHEMA} report: {error}") from error
