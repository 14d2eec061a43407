"""What every layer is measured with: samples in batches, what is asked of them, resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem.compression import curve
from onnxmem.compression.settings import CurveSettings
from onnxmem.data import Selection
from onnxmem.network.evaluation import Evaluation, Grouping


@dataclass(frozen=True, slots=True)
class Experiment:
    """What all layers of a network have in common.

    Attributes:
        evaluation: the samples, and the network's own answers.
        settings: which curves are measured.
        weights: kind of batch -> bootstrap weights (draws, samples).
    """

    evaluation: Evaluation
    settings: CurveSettings
    weights: Mapping[str, np.ndarray]


def grouping(settings: CurveSettings) -> Grouping:
    """Return how the samples are grouped."""
    return Grouping(settings.per_class, settings.batch, settings.metric, settings.seed)


def bootstrap_weights(
    selection: Selection, kinds: Sequence[str], seed: int
) -> dict[str, np.ndarray]:
    """Return the weights (draws, samples) that curves are resampled with, by kind of batch."""
    return {
        kind: curve.resample([batch.rows for batch in selection.batches(kind)], seed)
        for kind in kinds
    }
