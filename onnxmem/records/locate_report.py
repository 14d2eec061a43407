"""Where a network memorizes: what `onnxmem locate` finds, and what it was found with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from onnxmem.errors import DataError
from onnxmem.records.evidence import LayerEvidence
from onnxmem.records.report import DataInfo, ModelInfo, Tool

LOCATE_SCHEMA = "onnxmem.locate/1"


@dataclass(frozen=True, slots=True)
class Suspected:
    """Which samples count as noisy.

    `source` is "file", "true labels" or "samples": flags that somebody gave, a column of true
    labels in the data, or the samples that are flagged as memorized. `others` are all the rest,
    called clean; that a suspect has a wrong label is said by true labels alone.
    """

    source: str
    path: str
    suspects: int
    others: int


@dataclass(frozen=True, slots=True)
class Depth:
    """At which layer neighbours come to agree with the labels: of all samples and of suspects.

    Without layers `reason` says why.
    """

    layers: tuple[LayerEvidence, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LayerProbe:
    """One layer, or the input: labels that a linear probe reads off it, each sample left out once.

    Shares of clean samples and of suspects whose given label it reads, and of all samples when
    labels are permuted. All are None where `reason` says why.
    """

    tensor: str
    clean_accuracy: float | None = None
    suspect_accuracy: float | None = None
    permuted_accuracy: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Probes:
    """Linear probes of all layers; without layers `reason` says why."""

    layers: tuple[LayerProbe, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Accuracies:
    """Accuracy on the given labels: of samples that are no suspects, and of suspects.

    None where there are no such samples.
    """

    clean: float | None
    suspect: float | None


class Segment(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A segment of the network, and how accurate the network is with that of the checkpoint.

    It stands between the sites `from` and `to`; "input" are the inputs, and the last one ends with
    the output. `tensors` are all tensors of the network that it reads. Accuracies are None where
    `reason` says why. `relative_error` is how far the network taken apart in the same way is from
    the whole one.
    """

    from_: str
    to: str
    tensors: tuple[str, ...]
    clean_accuracy: float | None
    suspect_accuracy: float | None
    relative_error: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rewinding:
    """A network with one segment after the other taken from a checkpoint.

    `network` and `rewound` are the accuracies of the network and of the checkpoint by themselves.
    `lowest` is where the segment ends that lowers the accuracy on suspects most, None where none
    lowers it. Without segments `reason` says why.
    """

    checkpoint: ModelInfo
    clean_samples: int
    suspect_samples: int
    network: Accuracies
    rewound: Accuracies
    segments: tuple[Segment, ...]
    lowest: str | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


class LayerGradient(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Gradients of the weights in one segment: norms of the means over clean samples and suspects.

    `ratio` is that of suspects over that of clean samples, `cosine` the one between the two. All
    are None where `reason` says why; the last two also where a gradient is zero.
    """

    from_: str
    to: str
    weights: tuple[str, ...]
    clean_norm: float | None = None
    suspect_norm: float | None = None
    ratio: float | None = None
    cosine: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GradientAccount:
    """How gradients of suspects stand to those of clean samples, at one state of the network.

    `model` is "network" or "checkpoint". `clean_loss` and `suspect_loss` are mean cross entropies
    of the given labels: near zero nothing is left to account for. Without layers `reason` says why.
    """

    model: str
    layers: tuple[LayerGradient, ...]
    clean_loss: float | None = None
    suspect_loss: float | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleUnits:
    """How many units have to be switched off until one sample loses its label.

    `margin` is how far its label is ahead at the output. `units` are chosen by gradients,
    `random_units` drawn; None where more were needed than were tried. `harm` and `random_harm` are
    the shares of other samples whose answer changes without these units, and without as many drawn
    ones; None where nothing flipped.
    """

    id: str
    row: int
    suspect: bool
    margin: float
    units: int | None
    random_units: int | None
    harm: float | None
    random_harm: float | None


@dataclass(frozen=True, slots=True)
class UnitsGroup:
    """Suspects or clean samples: medians of `SampleUnits`, and means of the harm.

    A median is None where half of the samples needed more units than were tried. `flipped` is the
    share that lost its label within `Units.most` units.
    """

    samples: int
    flipped: float | None
    margin: float | None
    units: float | None
    random_units: float | None
    harm: float | None
    random_harm: float | None


@dataclass(frozen=True, slots=True)
class LayerUnits:
    """One layer: units that it has, and the share of all units found for a group that is there."""

    tensor: str
    units: int
    clean_share: float | None
    suspect_share: float | None


@dataclass(frozen=True, slots=True)
class Units:
    """Units to flip, beside margins and random units.

    `units_auroc` and `margin_auroc` say how well few units, and a small margin, tell suspects from
    clean samples. No unit is claimed to memorize. Without samples `reason` says why.
    """

    most: int
    clean: UnitsGroup
    suspect: UnitsGroup
    units_auroc: float | None
    margin_auroc: float | None
    layers: tuple[LayerUnits, ...]
    samples: tuple[SampleUnits, ...]
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocateReport:
    """Where one network memorizes.

    Where a part has nothing to tell its `reason` says why, and `reason` where all have not.
    `rewinding` is None without a checkpoint, `units` where none are asked for. `gradients` are
    those of the network, and of the checkpoint if there is one. `suspected` is None where nobody
    tells suspects.
    """

    schema: str
    tool: Tool
    model: ModelInfo
    data: DataInfo
    settings: dict[str, Any]
    environment: dict[str, Any]
    suspected: Suspected | None
    depth: Depth
    probes: Probes
    gradients: tuple[GradientAccount, ...] = ()
    units: Units | None = None
    rewinding: Rewinding | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the command line returns: 0 where something was measured, else 3."""
        return 3 if self.reason else 0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types: dictionaries, lists, strings, numbers and None."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> LocateReport:
        """Return the report that `to_dict` turned into `values`.

        Raises:
            DataError: a field is missing or has the wrong type; the message says which.
        """
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataError(f"this is no {LOCATE_SCHEMA} report: {error}") from error
