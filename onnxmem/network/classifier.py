"""The untouched network as a classifier: its outputs, and the classes that it predicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, take_rows
from onnxmem.data import Column
from onnxmem.errors import DataError, InconclusiveError, ScoresError
from onnxmem.hazards import see
from onnxmem.network.lost_scores import fault, rows_without
from onnxmem.network.network import Network
from onnxmem.network.outputs import TOLERANCE, deviation

PROBED = 8
"""Samples that run to see how a model treats a batch, where it takes any number."""

_STEP = 64


class Classifier:
    """The untouched network, compiled."""

    def __init__(self, network: Network, shared: Mapping[str, Array]) -> None:
        """Compile the network; `shared` are the inputs that all samples have in common."""
        self.network, self.shared = network, shared
        self.session = network.session(graph.expose(network.model, []))

    def output(self, inputs: Mapping[str, Array], separable: bool, rows: np.ndarray) -> Array:
        """Return the output that classifies for the samples `rows` of `inputs`.

        They run piece by piece where the model takes one batch size only, or where they are
        `separable`.
        """
        step = self.step(separable, len(rows))
        outputs = [
            self._piece(inputs, rows[start : start + step]) for start in range(0, len(rows), step)
        ]
        if len(outputs) == 1:
            return outputs[0]
        return self.network.device.namespace.concatenate(outputs)

    def step(self, separable: bool, samples: int) -> int:
        """Return how many of so many samples run together; see `output`."""
        return self.network.together(samples) if separable else self.network.batch or samples

    def _piece(self, inputs: Mapping[str, Array], rows: np.ndarray) -> Array:
        feeds = {name: take_rows(array, rows) for name, array in inputs.items()}
        (output,) = self.session.run(feeds | dict(self.shared), [self.network.output])
        check_classifies(self.network, output, len(rows))
        return output

    def is_separable(self, inputs: Mapping[str, Array], samples: int) -> bool:
        """Tell whether a few of the samples get the same output together and in two halves."""
        if self.network.batch is not None:
            return True
        rows = np.arange(min(PROBED, samples))
        together = self._piece(inputs, rows)
        apart = [self._piece(inputs, half) for half in np.array_split(rows, 2)]
        joined = self.network.device.namespace.concatenate(apart)
        return deviation(joined, together) <= TOLERANCE

    def predict(self, inputs: Mapping[str, Column]) -> np.ndarray:
        """Return the class that the network predicts for every sample (samples,).

        Args:
            inputs: all samples, on the host; a few at a time go to the device.

        Raises:
            DataError: the model takes more samples at once than there are.
        """
        network, count = self.network, min(map(len, inputs.values()))
        step = network.together(min(_STEP, count))
        if step > count:
            raise DataError(
                f"too few samples: the model takes {step} at once, the data hold {count}"
            )
        labels = np.empty(count, np.int64)

        def predict(start: int) -> None:
            first = min(start, count - step)
            rows = slice(first, first + step)
            feeds = network.feeds({name: array[rows] for name, array in inputs.items()})
            (output,) = self.session.run(feeds | dict(self.shared), [network.output])
            check_classifies(network, output, step)
            labels[start : rows.stop] = network.predict(output)[start - first :]

        at_once = network.at_once(step, network.workers.count)
        network.workers.map(predict, range(0, count, step), at_once)
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
        ScoresError: one has none: NaN is among its scores, or the largest is infinite.
    """
    if rows_without(output).size:
        raise ScoresError(f"{fault(network)}; look for such weights, or for samples out of range")


def elsewhere(model: graph.Model) -> str:
    """Return the end of a message: which other axis may count samples; empty if there is none."""
    free = graph.free_elsewhere(model)
    if not free:
        return ""
    name, axis = free[0]
    return f"; axis {axis} of {name!r} is free: export the model with its samples along axis 0"
