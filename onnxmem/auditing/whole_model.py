"""The untouched model: what it says to the samples, and whether they may run in any grouping."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, take_rows
from onnxmem.auditing.independence import PROBED
from onnxmem.auditing.network import Network
from onnxmem.auditing.outputs import TOLERANCE, deviation
from onnxmem.auditing.predictions import check_classifies


class WholeModel:
    """The untouched model, compiled."""

    def __init__(self, network: Network, shared: Mapping[str, Array]) -> None:
        """Compile the model; `shared` are the inputs that all samples have in common."""
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
