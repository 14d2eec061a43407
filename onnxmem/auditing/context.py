"""What every layer of one audit is measured with: network, batches, the whole model's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxmem.arrays import Array
from onnxmem.auditing.clock import Clock
from onnxmem.auditing.network import Network
from onnxmem.auditing.settings import Settings
from onnxmem.auditing.workers import Workers
from onnxmem.data import Batch, Selection


@dataclass(frozen=True, slots=True)
class Context:
    """What all layers of one audit have in common.

    Attributes:
        network: the prepared model.
        inputs, shared: the selected samples on the device, and inputs common to all of them.
        selection: which samples form which batch.
        truth: (samples,) the class that counts as correct.
        reference: kind of batch -> the model's own output for each batch.
        separable: whether samples may run in any grouping.
        independent: whether no output of the model depends on the other samples of its batch.
        baseline: accuracy of the untouched model.
        weights: kind of batch -> bootstrap weights (draws, samples).
        settings: of the audit.
        workers: what works on several batches at once.
        clock: adds up the seconds of each stage.
    """

    network: Network
    inputs: Mapping[str, Array]
    shared: Mapping[str, Array]
    selection: Selection
    truth: np.ndarray
    reference: Mapping[str, tuple[Array, ...]]
    separable: bool
    independent: bool
    baseline: float
    weights: Mapping[str, np.ndarray]
    settings: Settings
    workers: Workers
    clock: Clock

    def batches(self, kind: str) -> tuple[Batch, ...]:
        """Return the batches of a kind: `class` or `mixed`."""
        return self.selection.batches(kind)
