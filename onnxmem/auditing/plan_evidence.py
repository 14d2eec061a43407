"""What it costs to look at the neighbours of all samples: a few of them timed, the rest counted."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from onnxmem.auditing.cost import Cost
from onnxmem.evidence.contents import MOST_REFERENCES, Contents
from onnxmem.evidence.votes import NEIGHBOURS
from onnxmem.neighbours import nearest, projection
from onnxmem.network.features import INPUT, Place, collect
from onnxmem.network.opening import Opened

_TRIED = 128
_SECONDS = 0.5
"""Samples that are timed at most, and about how long that may take."""


def plan_evidence(opened: Opened, each: float) -> Cost:
    """Return what the pass over all samples and the search at all layers cost.

    `each` is what a sample takes through the network, in seconds.
    """
    samples, network = opened.samples, opened.network
    rows = Contents.among(samples).rows
    if samples.labels is None or len(rows) <= NEIGHBOURS:
        return Cost()
    sites = [site for site in opened.sites if site.status == "ok"]
    places = [Place(INPUT), *(Place(site.tensor, site.feature_axis) for site in sites)]
    possible = int(min(_TRIED, _SECONDS / max(each, 1e-6)))
    tried = rows[: max(possible, network.batch or 2)]
    shared = network.feeds(samples.shared)
    with collect(network, samples.inputs, shared, tried, places) as features:
        widths = [array.shape[1] for array in features.layers.values()]
    now, count = _clock(opened)
    begin = now()  # the first time includes compiling the network
    with collect(network, samples.inputs, shared, tried, places):
        seconds = (now() - begin) / len(tried) / count
    searching = sum(_search_seconds(opened, len(rows), width) for width in widths)
    return Cost(seconds=seconds * len(rows) + searching)


def _search_seconds(opened: Opened, contents: int, width: int) -> float:
    """Return the seconds that neighbours of so many contents take at a layer."""
    xp, references = opened.network.device.namespace, min(contents, MOST_REFERENCES)
    tried = min(contents, 256)
    drawn = np.random.default_rng(0).standard_normal((references, min(width, projection.SHORT)))
    features = xp.asarray(drawn.astype(np.float32))
    now, count = _clock(opened)
    begin = now()
    nearest(features[:tried], features, NEIGHBOURS)
    return (now() - begin) * contents / tried / count


def _clock(opened: Opened) -> tuple[Callable[[], float], int]:
    """Return what seconds are told by, and by how many workers they are shared.

    On the CPU that is processor time, so that other programs do not count.
    """
    if opened.network.device.is_cuda:
        return time.perf_counter, 1
    return time.process_time, opened.network.workers.count
