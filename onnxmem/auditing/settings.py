"""What an audit is asked to do: one frozen record, checked when it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_type_hints

import msgspec

from onnxmem.errors import DataError, UsageError
from onnxmem.factorize import COMPRESSORS
from onnxmem.graph import KINDS
from onnxmem.records import Metric, Report

BATCHES = ("class", "mixed")
METRICS = ("top1", "fidelity")

_HIGHEST_RANK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an audit.

    Attributes:
        layers: glob patterns of tensor names; empty means every site.
        kind: kinds of activations, of those in `onnxmem.graph.KINDS`.
        compress: compressors, of nmf, pca and ablation.
        batch: kinds of batches, of class and mixed.
        per_class: samples of each class.
        ranks: "auto", or the ranks to measure.
        metric: top1, fidelity, or None: top1 where there are labels.
        output_name: the output that classifies, None where there is only one candidate.
        bind: values of inputs that are fixed for good.
        split: which samples, where the data name splits.
        device: auto, cpu, cuda or cuda:N.
        exact: leave out the optimizations that round.
        memory: bytes that captured tensors may take; None is half of what is free.
        seed: of every random choice.
        fail_under: smallest score for each key of the summary.
        min_accuracy: below this baseline accuracy the audit is inconclusive; None: chance.
        max_drop: by how much a score may be lower than that of a baseline report.
        baseline: where that report came from; for the record.

    Raises:
        UsageError: a value that is none of these, or of another type.
    """

    layers: tuple[str, ...] = ()
    kind: tuple[str, ...] = ("relu",)
    compress: tuple[str, ...] = COMPRESSORS
    batch: tuple[str, ...] = BATCHES
    per_class: int = 30
    ranks: tuple[int, ...] | Literal["auto"] = "auto"
    metric: Metric | None = None
    output_name: str | None = None
    bind: Mapping[str, Any] = field(default_factory=dict)
    split: str | None = None
    device: str = "auto"
    exact: bool = False
    memory: int | None = None
    seed: int = 0
    fail_under: Mapping[str, float] = field(default_factory=dict)
    min_accuracy: float | None = None
    max_drop: float | None = None
    baseline: str | None = None

    def __post_init__(self) -> None:
        if self.metric is not None:
            _check_names("metric", (self.metric,), METRICS)
        self._check_types()
        for name in ("compress", "batch", "layers", "kind"):
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))
        _check_names("kind of activation", self.kind, tuple(KINDS))
        _check_names("compressor", self.compress, COMPRESSORS)
        _check_names("kind of batch", self.batch, BATCHES)
        if self.per_class < 2:
            raise UsageError(f"--per-class {self.per_class} is too small: a batch needs 2 samples")
        if self.ranks != "auto" and (not self.ranks or min(self.ranks) < 1):
            raise UsageError("--ranks takes auto, or integers from 1 on: 1,2,4,8")
        if self.ranks != "auto" and max(self.ranks) > _HIGHEST_RANK:
            raise UsageError(f"--ranks {max(self.ranks)}: no matrix has a rank beyond 2147483647")
        if self.memory is not None and self.memory < 1:
            raise UsageError(f"--memory {self.memory}: give a number of bytes from 1 on")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed} is negative; give an integer from 0 on")
        measured = [f"{name}.{kind}" for name in self.compress for kind in self.batch]
        check_thresholds(self.fail_under, self.max_drop, measured, "this audit measures")
        if self.min_accuracy is not None and not 0 <= self.min_accuracy <= 1:
            raise UsageError(f"--min-accuracy {self.min_accuracy} must lie between 0 and 1")

    def _check_types(self) -> None:
        for name, wanted in get_type_hints(Settings).items():
            value = getattr(self, name)
            try:
                msgspec.convert(value, wanted)
            except msgspec.ValidationError as error:
                cause = str(error).partition(" - at ")[0]
                raise UsageError(f"{name}={value!r} has the wrong type: {cause}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        values = asdict(self)
        values["memory"] = "auto" if self.memory is None else self.memory
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    def resolved(self, metric: Metric, output: str | None) -> dict[str, Any]:
        """Return the settings as JSON types, with the metric and the output that were chosen."""
        return self.to_dict() | {"metric": metric, "output_name": output}


def check_thresholds(
    fail_under: Mapping[str, float], max_drop: float | None, keys: Sequence[str], whose: str
) -> None:
    """Check thresholds for scores, of which those with `keys` are measured; `whose` leads these.

    Raises:
        UsageError: a score is not measured, or a threshold does not lie between 0 and 1.
    """
    for key, threshold in fail_under.items():
        if key not in keys:
            raise UsageError(f"unknown gate {key!r}: {whose} {', '.join(keys)}")
        if not 0 <= threshold <= 1:
            raise UsageError(f"gate {key}={threshold}: an AuC lies between 0 and 1")
    if max_drop is not None and not 0 <= max_drop <= 1:
        raise UsageError(f"--max-drop {max_drop} must lie between 0 and 1")


def check_drop(max_drop: float | None, baseline: Report | None) -> None:
    """Check that a largest drop and the report that it is counted from come together.

    Raises:
        UsageError: one of them is missing.
    """
    if (max_drop is None) != (baseline is None):
        raise UsageError("--baseline REPORT.json and --max-drop X belong together; give both")


def check_complete(settings: Settings, arrays: Collection[str], baseline: Report | None) -> None:
    """Check that what the settings need is among the names of `arrays`, or is `baseline`.

    Raises:
        UsageError: there is a baseline but no largest drop, or the other way round.
        DataError: there are no labels to measure accuracy with.
    """
    check_drop(settings.max_drop, baseline)
    if settings.metric == "top1" and "y" not in arrays:
        raise DataError("--metric top1 needs labels: give an array 'y', or use --metric fidelity")


def _check_names(what: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not names:
        raise UsageError(f"no {what} chosen; choose from {', '.join(known)}")
    for name in names:
        if name not in known:
            raise UsageError(f"unknown {what} {name!r}; choose from {', '.join(known)}")


def parse_ranks(text: str) -> tuple[int, ...] | Literal["auto"]:
    """Read `auto` or `1,2,4,8`.

    Raises:
        UsageError: it is neither.
    """
    if text.strip() == "auto":
        return "auto"
    try:
        ranks = tuple(sorted(int(part) for part in text.split(",")))
    except ValueError:
        ranks = (0,)
    if ranks[0] < 1:
        raise UsageError(f"--ranks {text!r}: give auto, or integers from 1 on: 1,2,4,8")
    if len(set(ranks)) < len(ranks):
        raise UsageError(f"--ranks {text!r} names a rank twice; give each of them once")
    return ranks
