"""Words that several formats have for a course of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from onnxmem.findings.numbers import percent, percents
from onnxmem.findings.track import checkpoint_names, track_findings
from onnxmem.text import capitalized

if TYPE_CHECKING:
    from onnxmem.records import Checkpoint, TrackedSample, TrackReport

READ_SO = (
    "Agreement: the share of held-out inputs to which a checkpoint says what most of their 10 "
    "nearest training samples are labelled with, mean over the layers. It needs no held-out "
    "labels, and falls as wrong labels are learned by heart.",
    "The choice was measured on small networks: it lost .006 of the best held-out accuracy on "
    "average and .021 at most over 11 courses, the last checkpoint .082 and .166.",
    "Margin of a sample: by how much another label has more neighbours, mean over all layers and "
    "checkpoints. Where nobody tells which samples are suspects, they "
    "are those with a margin above 0, whose label may be right all the same.",
)

TITLES = ("Checkpoint", "Training", "Agreement", "Memorized", "Fitted, others", "Fitted, suspects",
          "Held-out")  # fmt: skip
"""Of the table of checkpoints."""


def sentence(report: TrackReport) -> str:
    """Return what was found in one sentence."""
    first = track_findings(report)[0].sentence
    return f"{capitalized(first)}."


def findings(report: TrackReport) -> list[str]:
    """Return all that was found, a sentence each, and what it does not say."""
    found = []
    for one in track_findings(report):
        caution = f" ({one.caution})" if one.caution else ""
        found.append(f"{capitalized(one.sentence)}{caution}.")
    return found


def cells(report: TrackReport) -> list[tuple[str, ...]]:
    """Return a row for each checkpoint under `TITLES`."""
    names = checkpoint_names(report)
    return [_cells(one, name) for one, name in zip(report.checkpoints, names, strict=True)]


def _cells(one: Checkpoint, name: str) -> tuple[str, ...]:
    agreement = share(one.agreement_mean)
    if one.agreement_low is not None and one.agreement_high is not None:
        agreement += f" ({percents(one.agreement_low, one.agreement_high)})"
    return (
        name,
        share(one.train_accuracy),
        agreement,
        share(one.memorized_share.value),
        share(one.others_fitted),
        share(one.suspects_fitted),
        share(one.held_out_accuracy),
    )


def share(value: float | None) -> str:
    """Return a share in percents, a dash where there is none."""
    return "–" if value is None else percent(value)


def most_suspect(report: TrackReport, most: int) -> list[TrackedSample]:
    """Return the suspects of largest margin, the largest first."""
    chosen = [one for one in report.samples if one.suspect]
    return sorted(chosen, key=lambda one: (-one.margin, one.row))[:most]


def fitted_from(one: TrackedSample, names: Sequence[str]) -> str:
    """Return from which checkpoint on a sample is fitted."""
    return "never" if one.fitted_from is None else names[one.fitted_from]
