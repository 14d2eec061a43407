"""The records of a report: what `audit` gives and what every format is written from.

They are frozen and plain: strings, numbers, tuples and each other. The field names are those of
the JSON report, whose schema `onnxmem/report/schema.json` is made from these classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from onnxmem.errors import DataError
from onnxmem.records.evidence import Estimate, Evidence
from onnxmem.records.waiver import Waiver

SCHEMA = "onnxmem.report/1"

CACHED_LAYERS = "cached_layers"
"""The entry of `timings` that counts layers and not seconds."""

SATURATION = 0.99
"""A curve whose AuC is at least this share of the baseline's accuracy lies at its ceiling: what it
lacks is a sample or two at a rank or two. It is saturated."""

RELATIVE = ".relative"
"""Ends the keys of scores over the accuracy of the untouched model: `nmf.mixed.relative`."""

Metric = Literal["top1", "fidelity"]
Compressor = Literal["nmf", "pca", "ablation", "nmf_removed", "pca_removed", "random_removed"]
Batch = Literal["class", "mixed"]
Status = Literal["scored", "saturated", "above", "skipped"]
Verdict = Literal["pass", "fail", "inconclusive", "none"]


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that made the report."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model file. `opset` is that of the default domain.

    `notes` tell what was changed so that it runs as it is analyzed, such as another precision.
    """

    path: str
    sha256: str
    ir_version: int
    opset: int
    producer: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataInfo:
    """The data. `samples` and `classes` count what the audit used.

    `sha256` is taken over the samples and their labels, whatever order and file they come in; of
    images, over the bytes of their files and how they are prepared.
    `left_out` names the classes that had too few samples to be used. `batches` is a hash of
    which samples stand in which batch: where it is equal, curves can be compared sample by
    sample. `distinct` is how many different samples the class has that has the fewest of those that
    were used, None where a report does not say; `copies` counts those that are there again.
    `notes` tell what was assumed about the data, such as the preprocessing of images, and
    what was changed so that the model takes them. `options` holds what the command line said about
    reading the data, by the name of the option. `names` are those of the classes by their number,
    where they have any.
    """

    path: str
    sha256: str
    samples: int
    classes: int
    samples_given: int
    left_out: tuple[int, ...] = ()
    batches: str = ""
    distinct: int | None = None
    copies: int = 0
    notes: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def class_name(self, number: int) -> str:
        """Return what a class is called: its number where it has no name."""
        return self.names.get(str(number), str(number))


@dataclass(frozen=True, slots=True)
class Baseline:
    """The accuracy of the untouched model on the samples of the audit, and that of guessing.

    Both are None where the network was refused before anything was measured.
    """

    metric: Metric
    value: float | None
    chance: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """One batch: its label (mixed batches are numbered), size, and accuracy at each x.

    `untouched` is the accuracy of the untouched model on it, None where a report does not say.
    """

    label: int
    samples: int
    accuracy: tuple[float, ...]
    auc: float
    untouched: float | None = None

    @property
    def above(self) -> bool:
        """Whether its curve lies above the accuracy of the untouched model."""
        return self.untouched is not None and self.auc * SATURATION > self.untouched


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy against rank, or against the kept fraction, of one layer.

    `x`, `accuracy` and `error` (relative Frobenius error of the approximations, mean over the
    batches) have one entry for each measured point. `auc` lies in 0..1, `auc_relative` is `auc`
    over the baseline's accuracy. `auc_bound` is half the width of what the points left out could
    change, as long as no batch falls further between those that were measured than it does from one
    of them to the next. `auc_low` and `auc_high` are the 95 % bootstrap interval, wider by
    `auc_bound` on either side.
    `sample_auc` holds what each sample alone adds to `auc`, their mean, in the order of the groups:
    see `onnxmem.compression.curve.pack`.
    `above` tells that the curve lies above the accuracy of the untouched model by more than the
    choice of samples explains: compression makes right what the model gets wrong, so that the AuC
    says nothing about how compressible the layer is. It is not called saturated then.
    `parts` is there, and true, where the activations can be negative and their positive and
    negative parts were factorized side by side, which is not the method of the paper.
    """

    compressor: Compressor
    batch: Batch
    x_name: Literal["rank", "fraction"]
    x: tuple[int | float, ...]
    accuracy: tuple[float, ...]
    error: tuple[float, ...]
    auc: float
    auc_low: float
    auc_high: float
    auc_relative: float
    auc_bound: float
    saturated: bool
    groups: tuple[Group, ...]
    sample_auc: str = ""
    above: bool = False
    parts: bool | msgspec.UnsetType = msgspec.UNSET

    @property
    def key(self) -> str:
        """The curve's key in the summary, for instance `nmf.mixed`."""
        return f"{self.compressor}.{self.batch}"

    @property
    def scored(self) -> bool:
        """Whether its AuC can be read."""
        return not self.saturated and not self.above

    @property
    def suspects(self) -> tuple[int, ...]:
        """The classes whose labels are suspect, since compression raises their accuracy."""
        if not self.above or self.batch != "class":
            return ()
        return tuple(group.label for group in self.groups if group.above)


@dataclass(frozen=True, slots=True)
class CutInfo:
    """The tensors that a cut needs besides its own, and the error of its self-check.

    `relative_error` is the largest deviation of the joined parts from the whole model, over the
    scale of the model's output.
    """

    crossing: tuple[str, ...]
    relative_error: float | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One ReLU site: where it is, and its curves, or the reason why there are none."""

    tensor: str
    op: str
    index: int
    shape: tuple[int | None, ...] | None
    feature_axis: int | None
    status: Status
    reason: str
    cut: CutInfo | None
    curves: tuple[Curve, ...] = ()

    @property
    def axis(self) -> int | None:
        """The axis of the features, from 0 on; None where it is not known."""
        if self.shape is None or self.feature_axis is None:
            return None
        count = len(self.shape)
        return self.feature_axis % count if -count <= self.feature_axis < count else None

    @property
    def width(self) -> int | None:
        """How many features there are, None where it is not known."""
        return None if self.axis is None or self.shape is None else self.shape[self.axis]

    def curve(self, key: str | None) -> Curve | None:
        """Return the curve of that key, for instance `nmf.mixed`, None where there is none."""
        return next((curve for curve in self.curves if curve.key == key), None)


@dataclass(frozen=True, slots=True)
class Score:
    """The mean AuC over the layers whose curve can be read; None where there is none.

    Curves that are saturated, or lie above the baseline, take no part. `auc_relative` is the mean
    over the accuracy of the untouched model on the same samples, with an interval of its own, None
    in reports that do not hold it.
    """

    auc: float | None
    auc_low: float | None
    auc_high: float | None
    layers_scored: int
    layers_saturated: int
    layers_above: int = 0
    auc_relative: float | None = None
    auc_relative_low: float | None = None
    auc_relative_high: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One threshold. `passed` is None where the value could not be measured.

    `bound` is what was compared with the threshold: the bound of the interval around `value`
    that speaks for the model. `note` tells how the value was found, where that is not as usual.
    """

    key: str
    threshold: float
    value: float | None
    passed: bool | None
    bound: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What one audit measured. `timings` holds seconds for each stage, and alone may vary.

    It tells as `cached_layers` how many layers came from the cache, where any did. `evidence` is
    what the neighbours of the training samples tell, None where that was not asked for. `waivers`
    are those that were given, each with what became of it; a failed gate that one forgives stays
    failed and does not count in the verdict.

    A network that cannot be audited has a report too: `verdict` is inconclusive, `reason` says why,
    the values of `baseline` are None, every layer that was found is skipped, and no sample counts
    as used.
    """

    schema: str
    tool: Tool
    model: ModelInfo
    data: DataInfo
    settings: dict[str, Any]
    environment: dict[str, Any]
    baseline: Baseline
    layers: tuple[Layer, ...]
    summary: dict[str, Score]
    gates: tuple[Gate, ...]
    verdict: Verdict
    reason: str
    evidence: Evidence | None = None
    waivers: tuple[Waiver, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    def value(self, key: str) -> Estimate | None:
        """Return what a gate of that key compares: a score, or with `.relative` that over accuracy.

        None where there is no such score. Reports without relative scores get them by division.
        """
        score = self.summary.get(key.removesuffix(RELATIVE))
        if score is None or score.auc is None or score.auc_low is None or score.auc_high is None:
            return None
        bounds = score.auc, score.auc_low, score.auc_high
        if not key.endswith(RELATIVE):
            return Estimate(*bounds)
        value, low, high = score.auc_relative, score.auc_relative_low, score.auc_relative_high
        if value is not None and low is not None and high is not None:
            return Estimate(value, low, high)
        return Estimate(*(b / self.baseline.value for b in bounds)) if self.baseline.value else None

    @property
    def waived(self) -> frozenset[str]:
        """The keys of failed gates that a waiver forgives."""
        return frozenset(one.gate for one in self.waivers if one.state == "applied")

    @property
    def measured(self) -> bool:
        """Whether anything was measured; if not, the network was refused for `reason`."""
        return self.baseline.value is not None

    @property
    def exit_code(self) -> int:
        """What the command line returns for this report: 0, 1 or 3."""
        return {"pass": 0, "none": 0, "fail": 1, "inconclusive": 3}[self.verdict]

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds of each stage."""
        return {name: value for name, value in self.timings.items() if name != CACHED_LAYERS}

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types: dictionaries, lists, strings, numbers and None."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Report:
        """Return the report that `to_dict` turned into `values`.

        Raises:
            DataError: a field is missing or has the wrong type; the message says which.
        """
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataError(f"this is no {SCHEMA} report: {error}") from error
