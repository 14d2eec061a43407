"""What a network predicts, and whether its output is one of a classifier at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, namespace
from onnxmem.auditing.network import Network
from onnxmem.auditing.workers import ALONE, Workers
from onnxmem.data import Column
from onnxmem.errors import DataError, InconclusiveError
from onnxmem.hazards import see
from onnxmem.runtime import Session

_STEP = 64


def predictions(
    network: Network,
    whole: Session,
    inputs: Mapping[str, Column],
    shared: Mapping[str, Array],
    team: Workers = ALONE,
) -> np.ndarray:
    """Return the class that the network predicts for every sample (samples,).

    Args:
        network: the model.
        whole: its session.
        inputs: all samples, on the host; a few at a time go to the device.
        shared: inputs that all samples have in common, on the device.
        team: runs several pieces at once.

    Raises:
        DataError: the model takes more samples at once than there are.
    """
    count = min(map(len, inputs.values()))
    step = network.together(min(_STEP, count))
    if step > count:
        raise DataError(f"too few samples: the model takes {step} at once, the data hold {count}")
    labels = np.empty(count, np.int64)

    def predict(start: int) -> None:
        first = min(start, count - step)
        rows = slice(first, first + step)
        feeds = network.feeds({name: array[rows] for name, array in inputs.items()}) | dict(shared)
        (output,) = whole.run(feeds, [network.output])
        check_classifies(network, output, step)
        labels[start : rows.stop] = network.predict(output)[start - first :]

    team.map(predict, range(0, count, step), network.at_once(step, team.count))
    return labels


def check_classifies(network: Network, output: Array, samples: int) -> None:
    """Check that the output has one row of scores, or one label, for each sample.

    Raises:
        InconclusiveError: it has not, or is no tensor, or one of its rows has no largest score.
    """
    if not hasattr(output, "shape"):
        raise InconclusiveError(
            f"output {network.output!r} is no tensor but a sequence or a map; "
            f"choose another with --output-name{see('outputs')}"
        )
    shape = tuple(output.shape)
    flat = shape[:1] == (samples,) and 0 not in shape and int(np.prod(shape[2:])) == 1
    kind = getattr(output, "dtype", np.dtype(object)).kind
    if not flat or kind not in ("iub" if network.form == "labels" else "fiu"):
        raise InconclusiveError(
            f"output {network.output!r} has shape {shape} for {samples} samples; "
            "a classifier gives (samples, classes): choose another with --output-name"
            f"{elsewhere(network.model)}{see('kinds-of-output')}"
        )
    check_scores(network, output)


def check_scores(network: Network, output: Array) -> None:
    """Check that every sample has a largest score; those of other classes may be -inf.

    Raises:
        InconclusiveError: one has none: NaN is among its scores, or the largest is infinite.
    """
    if output.dtype.kind != "f":
        return
    largest = output.reshape(len(output), -1).max(axis=1)
    if not bool(namespace(output).isfinite(largest).all()):
        raise InconclusiveError(
            f"{network.model.path} gives values that are NaN or infinite in output "
            f"{network.output!r}; look for such weights, or for samples out of range"
        )


def elsewhere(model: graph.Model) -> str:
    """Return the end of a message: which other axis may count samples; empty if there is none."""
    free = graph.free_elsewhere(model)
    if not free:
        return ""
    name, axis = free[0]
    return f"; axis {axis} of {name!r} is free: export the model with its samples along axis 0"
