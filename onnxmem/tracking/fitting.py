"""When each training sample is fitted on the course, and how suspect it is over all of it.

That simple samples are fitted first and wrong labels last is the observation of Gu & Tresp (2019),
Neural Network Memorization Dissection; the margin over the course in place of one checkpoint was
measured on the networks of this project.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnxmem.data import Samples
from onnxmem.evidence.gather import Gathered
from onnxmem.evidence.memorization import EDGE
from onnxmem.records import TrackedSample
from onnxmem.tracking.standing import Standing


def mean_margin(course: Sequence[Standing]) -> np.ndarray:
    """Return the margin of each sample, mean over the checkpoints (samples,)."""
    return np.asarray(np.mean([one.margin for one in course], axis=0))


def suspects(margin: np.ndarray) -> np.ndarray:
    """Return which samples have more neighbours of another label over the course (samples,)."""
    return np.asarray(margin > EDGE)


def fitted_from(fitted: np.ndarray) -> np.ndarray:
    """Return the checkpoint from which on each sample is fitted (samples,).

    It is the number of checkpoints where the last does not fit it.

    Args:
        fitted: (checkpoints, samples).
    """
    lost = ~fitted[::-1]
    last_lost = np.where(lost.any(axis=0), len(fitted) - 1 - lost.argmax(axis=0), -1)
    return np.asarray(last_lost + 1)


def share_fitted(fitted: np.ndarray, chosen: np.ndarray) -> float | None:
    """Return the share of `chosen` samples (samples,) that are fitted, None without any."""
    return float(fitted[chosen].mean()) if chosen.any() else None


def describe(
    course: Sequence[Standing], gathered: Gathered, samples: Samples, suspect: np.ndarray
) -> tuple[TrackedSample, ...]:
    """Return all samples in the order of the data.

    Args:
        course: the checkpoints.
        gathered: what is known of the samples at one of them.
        samples: as they were given.
        suspect: (samples,) which are suspects.
    """
    order, labels = gathered.contents.order, gathered.classes[gathered.facts.labels]
    fitted, margin = np.stack([one.fitted for one in course]), mean_margin(course)
    since, share = fitted_from(fitted), fitted.mean(axis=0)
    described = [
        TrackedSample(
            id=str(row) if samples.ids is None else str(samples.ids[row]),
            row=int(row),
            label=int(labels[place]),
            margin=float(margin[place]),
            fitted_from=None if since[place] == len(course) else int(since[place]),
            fitted=float(share[place]),
            suspect=bool(suspect[place]),
        )
        for place, row in enumerate(order.tolist())
    ]
    return tuple(sorted(described, key=lambda one: one.row))
