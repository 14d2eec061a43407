"""What an audit shall do: one frozen record, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from onnxmem.errors import UsageError
from onnxmem.graph import KINDS

COMPRESSORS = ("nmf", "pca", "ablation")
BATCHES = ("class", "mixed")
METRICS = ("top1", "fidelity")


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
        UsageError: a value that is none of these.
    """

    layers: tuple[str, ...] = ()
    kind: tuple[str, ...] = ("relu",)
    compress: tuple[str, ...] = COMPRESSORS
    batch: tuple[str, ...] = BATCHES
    per_class: int = 30
    ranks: tuple[int, ...] | Literal["auto"] = "auto"
    metric: str | None = None
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
        for name in ("compress", "batch", "layers", "kind"):
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))
        _check_names("kind of activation", self.kind, tuple(KINDS))
        _check_names("compressor", self.compress, COMPRESSORS)
        _check_names("kind of batch", self.batch, BATCHES)
        if self.metric is not None:
            _check_names("metric", (self.metric,), METRICS)
        if self.per_class < 2:
            raise UsageError(f"--per-class {self.per_class} is too small: a batch needs 2 samples")
        if self.ranks != "auto" and (not self.ranks or min(self.ranks) < 1):
            raise UsageError("--ranks takes auto, or integers from 1 on: 1,2,4,8")
        if self.memory is not None and self.memory < 1:
            raise UsageError(f"--memory {self.memory}: give a number of bytes from 1 on")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed} is negative; give an integer from 0 on")
        self._check_gates()

    def _check_gates(self) -> None:
        measured = [f"{name}.{kind}" for name in self.compress for kind in self.batch]
        for key, threshold in self.fail_under.items():
            if key not in measured:
                raise UsageError(f"unknown gate {key!r}: this audit measures {', '.join(measured)}")
            if not 0 <= threshold <= 1:
                raise UsageError(f"gate {key}={threshold}: an AuC lies between 0 and 1")
        if self.max_drop is not None and not 0 <= self.max_drop <= 1:
            raise UsageError(f"--max-drop {self.max_drop} must lie between 0 and 1")
        if self.min_accuracy is not None and not 0 <= self.min_accuracy <= 1:
            raise UsageError(f"--min-accuracy {self.min_accuracy} must lie between 0 and 1")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        values = asdict(self)
        values["memory"] = "auto" if self.memory is None else self.memory
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


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
