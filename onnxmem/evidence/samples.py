"""What is told of single samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from onnxmem.data import Samples
from onnxmem.evidence.facts import margins, own_votes
from onnxmem.evidence.gather import Gathered
from onnxmem.evidence.layers import depths
from onnxmem.evidence.memorization import STRONG, memorized
from onnxmem.evidence.votes import weigh
from onnxmem.records import SampleEvidence

SHOWN_NEIGHBOURS = 5


def describe_samples(gathered: Gathered, samples: Samples, most: int) -> list[SampleEvidence]:
    """Return all samples in the order of the data.

    Args:
        gathered: what is known of them.
        samples: as they were given.
        most: of how many that stand out the nearest neighbours are told.
    """
    facts, order = gathered.facts, gathered.contents.order
    margin = margins(facts.all_votes, facts.labels)
    score = 1 - own_votes(facts.all_votes, facts.labels)
    says = gathered.classes[facts.all_votes.argmax(axis=1)]
    given = gathered.classes[facts.labels]
    flags = memorized(facts, facts.all_votes), memorized(facts, facts.all_votes, STRONG)
    depth, layers = depths(facts), len(facts.layers)
    shown = standing_out(margin)[:most]
    near = dict(zip(shown.tolist(), _nearest(gathered, shown), strict=True))
    described = [
        SampleEvidence(
            id=str(order[place]) if samples.ids is None else str(samples.ids[order[place]]),
            row=int(order[place]),
            label=int(given[place]),
            prediction=int(gathered.predictions[place]),
            score=float(score[place]),
            margin=float(margin[place]),
            neighbours_say=int(says[place]),
            fitted=bool(facts.fitted[place]),
            memorized=bool(flags[0][place]),
            strong=bool(flags[1][place]),
            depth=None if depth[place] == layers else int(depth[place]),
            neighbours=near.get(place, ()),
        )
        for place in range(len(order))
    ]
    return sorted(described, key=lambda one: one.row)


def standing_out(margin: np.ndarray) -> np.ndarray:
    """Return the places of samples whose neighbours have another label, the largest margin first.

    Those are the memorized ones, and those whose label the network did not learn.
    """
    order = np.argsort(-margin, kind="stable")
    return order[margin[order] > 0]


def most_memorized(samples: Iterable[SampleEvidence], most: int) -> tuple[SampleEvidence, ...]:
    """Return the memorized samples of largest margin, the largest first."""
    chosen = sorted(
        (one for one in samples if one.memorized), key=lambda one: (-one.margin, one.row)
    )
    return tuple(chosen[:most])


def _nearest(gathered: Gathered, places: np.ndarray) -> list[tuple[int, ...]]:
    """Return the rows of the nearest few of some samples: of most weight, over all layers."""
    found = []
    rows = gathered.contents.rows[gathered.references]
    for content in gathered.contents.of[places].tolist():
        neighbours = np.stack([one.rows[content] for one in gathered.nearest])
        weights = np.stack([weigh(one.cosine[content][None])[0] for one in gathered.nearest])
        others, owners = np.unique(neighbours, return_inverse=True)
        total = np.bincount(owners.ravel(), weights.ravel())
        best = np.argsort(-total, kind="stable")[:SHOWN_NEIGHBOURS]
        found.append(tuple(map(int, rows[others[best]])))
    return found
