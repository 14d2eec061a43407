"""What the neighbours of its training samples tell of a network: by sample, by layer, in all.

Shares lie between 0 and 1. Samples are mentioned by their rows in the data that were given.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Whether labels are wrong, told by neighbours alone.

    `found` is None where that cannot be told, and `reason` says why. `floor` is the smallest of
    several lower estimates; noise is found from 0.04 on. `low` and `high` are the range of five
    estimates of which `estimate` is the median: a range, and no confidence interval. None of them
    is known where `found` is None. `suspects_fitted` is the share of the suspects that the
    network gives the label they came with: below one half the noise is there and not memorized.
    None without suspects.
    """

    found: bool | None
    reason: str
    floor: float | None
    estimate: float | None
    low: float | None
    high: float | None
    suspects_fitted: float | None


@dataclass(frozen=True, slots=True)
class NetworkEvidence:
    """What is told of the whole network.

    `samples` counts the training samples, `fitted` is the share of them that the network gives
    their label. `memorized_share` are those that are fitted although most neighbours at the input
    and at the first half of the layers have another label, `strong_share` those where that label
    leads by more than 0.3. `held_out_disagreement` is the share of held-out inputs to which the
    network says something else than their neighbours, None without such inputs;
    `held_out_accuracy` is None without their labels.
    """

    samples: int
    fitted: float
    memorized_share: Estimate
    strong_share: Estimate
    label_noise: LabelNoise
    held_out_disagreement: Estimate | None = None
    held_out_samples: int = 0
    held_out_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class LayerEvidence:
    """One layer, or the input: shares of samples whose neighbours favour the label they came with.

    Of all samples, of the suspects (None without any), and of held-out inputs (None without any),
    whose label is what the network says. All are None where `reason` says why the layer tells
    nothing.
    """

    tensor: str
    own_agreement: float | None
    suspects_agreement: float | None
    held_out_agreement: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SampleEvidence:
    """One training sample.

    `score` is 1 minus the share of neighbours with its label, `margin` by how much another label
    has more of them, mean over all layers; `neighbours_say` is the label that most of them have.
    `fitted`: the network predicts its label. `memorized`: it does although the margin is above 0,
    `strong`: above 0.3. `depth` counts layers until neighbours agree with its label for good: 0
    where they do from the input on, None where they do not even at the last layer. `neighbours`
    are the rows of the nearest few, of samples that stand out.
    """

    id: str
    row: int
    label: int
    prediction: int
    score: float
    margin: float
    neighbours_say: int
    fitted: bool
    memorized: bool
    strong: bool
    depth: int | None
    neighbours: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that neighbours tell.

    `network` is None where they tell nothing, and `reason` says why. `notes` tell what was left
    out or assumed. `names` are those of the classes by their number, where they have any.
    """

    network: NetworkEvidence | None
    layers: tuple[LayerEvidence, ...]
    samples: tuple[SampleEvidence, ...]
    reason: str = ""
    notes: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
