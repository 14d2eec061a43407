"""What an audit is asked to do: which curves, and by which gates they are judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from onnxmem.auditing.waivers import check_waivers
from onnxmem.compression.settings import CurveSettings
from onnxmem.data import Column
from onnxmem.data.columns import describe
from onnxmem.errors import DataError, UsageError
from onnxmem.evidence.settings import EvidenceSettings
from onnxmem.graph import Site
from onnxmem.network.features import Pool
from onnxmem.network.sites import kinds_of
from onnxmem.records import RELATIVE, Metric, Report, Waiver

_ORDER = (
    *("layers", "kind", "compress", "batch", "per_class", "ranks", "metric", "output_name"),
    *("bind", "split", "device", "exact", "memory", "seed", "fail_under", "min_accuracy"),
    *("max_drop", "baseline", "fail_over", "classes", "baseline_data", "samples", "pool"),
)
"""How the settings follow each other in a report: data and measuring first, gates at the end."""


EVIDENCE_KEYS = ("memorized_share", "strong_share", "label_noise", "held_out_disagreement")
"""Values of the evidence that a gate may hold down."""


@dataclass(frozen=True, slots=True)
class Settings(CurveSettings):
    """The settings of an audit.

    Attributes:
        fail_under: smallest score for each key of the summary.
        min_accuracy: below this baseline accuracy the audit is inconclusive; None: chance.
        max_drop: by how much a score may be lower than that of a baseline report.
        baseline: where that report came from; for the record.
        fail_over: largest value for keys of the evidence, of those in `EVIDENCE_KEYS`.
        classes: how many classes the thresholds were set for; None: those of the network's output,
            if they are not very many.
        baseline_data: whether that report must be one of the same data, or may be of other.
        samples: whether neighbours of the training samples are looked at.
        pool: all positions of a layer's features, or their mean, where they are.
        waivers: gates that may fail, for a reason; the report holds them beside its gates.
    """

    fail_under: Mapping[str, float] = field(default_factory=dict)
    min_accuracy: float | None = None
    max_drop: float | None = None
    baseline: str | None = None
    fail_over: Mapping[str, float] = field(default_factory=dict)
    classes: int | None = None
    baseline_data: Literal["same", "other"] = "same"
    samples: bool = True
    pool: Pool = "all"
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        CurveSettings.__post_init__(self)
        check_waivers(self.waivers)
        check_limits(self.fail_over, EVIDENCE_KEYS)
        if self.fail_over and not self.samples:
            raise UsageError("--fail-over needs what neighbours say; leave --no-samples out")
        check_thresholds(
            self.fail_under, self.max_drop, gate_keys(self.keys), "this audit measures"
        )
        if self.min_accuracy is not None and not 0 <= self.min_accuracy <= 1:
            raise UsageError(f"--min-accuracy {self.min_accuracy} must lie between 0 and 1")
        if self.classes is not None and self.classes < 2:
            raise UsageError(f"--classes {self.classes}: a gate needs two classes at least")

    @property
    def curves_gated(self) -> bool:
        """Whether there is a threshold for what is measured of the chosen samples."""
        return bool(self.fail_under) or (self.min_accuracy, self.max_drop) != (None, None)

    @property
    def evidence(self) -> EvidenceSettings:
        """How neighbours are looked for."""
        return EvidenceSettings(
            **{one.name: getattr(self, one.name) for one in fields(EvidenceSettings)}
        )

    @property
    def curves(self) -> CurveSettings:
        """What is measured, without the gates."""
        return CurveSettings(**{one.name: getattr(self, one.name) for one in fields(CurveSettings)})

    def resolved(
        self, metric: Metric, output: str | None, sites: Sequence[Site], classes: int | None = None
    ) -> dict[str, Any]:
        """Return the settings as JSON types, with the metric, output and kinds that were chosen.

        `classes` are those that the network tells apart, None where that is not known.
        """
        chosen = {"metric": metric, "output_name": output, "classes": self.classes or classes}
        values = self.to_dict() | chosen | {"kind": list(kinds_of(sites, self.kind))}
        return {name: values[name] for name in _ORDER}


def gate_keys(scores: Iterable[str]) -> list[str]:
    """Return the keys that gates may have on these scores: as they are, and over the accuracy."""
    keys = list(scores)
    return [*keys, *(key + RELATIVE for key in keys)]


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


def check_limits(fail_over: Mapping[str, float], keys: Sequence[str]) -> None:
    """Check largest values of the evidence.

    Raises:
        UsageError: there is no such value, or a limit does not lie between 0 and 1.
    """
    for key, limit in fail_over.items():
        if key not in keys:
            raise UsageError(f"unknown gate {key!r}: --fail-over takes {', '.join(keys)}")
        if not 0 <= limit <= 1:
            raise UsageError(f"gate {key}={limit}: a share lies between 0 and 1")


def check_drop(max_drop: float | None, baseline: Report | None) -> None:
    """Check that a largest drop and the report that it is counted from come together.

    Raises:
        UsageError: one of them is missing.
    """
    if (max_drop is None) != (baseline is None):
        raise UsageError("--baseline REPORT.json and --max-drop X belong together; give both")


def check_complete(
    settings: Settings, arrays: Mapping[str, Column], baseline: Report | None
) -> None:
    """Check that what the settings need is among `arrays`, or is `baseline`.

    Raises:
        UsageError: there is a baseline but no largest drop, or the other way round.
        DataError: there are no labels to measure accuracy with, or to judge by.
    """
    check_drop(settings.max_drop, baseline)
    if "y" in arrays or settings.metric == "fidelity":
        return
    if settings.metric == "top1":
        raise DataError(
            f"--metric top1 needs labels: give an array 'y', or use --metric fidelity; "
            f"{describe(arrays)}"
        )
    if settings.curves_gated or settings.fail_over:
        raise DataError(
            "a gate needs labels; without them what is measured is fidelity to the network's own "
            "predictions, and --metric fidelity says that this is meant; "
            f"{describe(arrays)}"
        )
