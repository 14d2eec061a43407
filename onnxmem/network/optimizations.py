"""Whether onnxruntime's optimizations leave a network what it is.

Some of them change it: one drops a ReLU before a quantiser whose type has negatives.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array
from onnxmem.data import Samples
from onnxmem.errors import DeviceError, InconclusiveError, ModelRefusedError, OutOfMemoryError
from onnxmem.hazards import see
from onnxmem.network.classifier import check_classifies
from onnxmem.network.network import Network
from onnxmem.runtime import Session

TRIED = 64
"""Samples that run with and without the optimizations."""

MOST_CHANGED = 0.05
"""The share of samples in another class up to which that is rounding."""


def check_optimizations(network: Network, samples: Samples) -> tuple[str, ...]:
    """Return a note where optimizations change the class of a sample.

    Nothing is said where they are left out already, or where the network does not run: whoever
    asks it says why.

    Raises:
        InconclusiveError: they change the class of more samples than rounding explains.
    """
    count = min(map(len, samples.inputs.values()), default=0)
    size = network.batch or min(TRIED, count)
    if network.exact or not 0 < size <= count:
        return ()
    rows = np.arange(size) if network.batch else np.linspace(0, count - 1, size).astype(np.int64)
    feeds = network.feeds(
        {name: column[rows] for name, column in samples.inputs.items()} | dict(samples.shared)
    )
    try:
        plain, optimized = (_classes(network, feeds, size, exact=one) for one in (True, False))
    except (DeviceError, InconclusiveError, ModelRefusedError, OutOfMemoryError):
        return ()
    changed = int((plain != optimized).sum())
    if not changed:
        return ()
    found = (
        f"onnxruntime's optimizations change the class of {changed} of {size} samples; "
        f"--exact leaves them out{see('rounding')}"
    )
    if changed > MOST_CHANGED * size:
        raise InconclusiveError(f"{network.model.path}: {found}")
    return (found,)


def _classes(network: Network, feeds: Mapping[str, Array], size: int, *, exact: bool) -> np.ndarray:
    part = graph.expose(network.model, [])
    session = Session(part, network.device, exact=exact, prepack=network.prepack)
    (output,) = session.run(feeds, [network.output])
    check_classifies(network, output, size)
    return network.predict(output)
