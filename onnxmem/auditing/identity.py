"""What the curves of a layer depend on, as one hash.

What only chooses among results (layers, compressors) or judges them (gates) stays out. A memory
budget that was asked for is in, since it decides which samples run together; what happens to be
free is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from onnxmem.arrays import to_host
from onnxmem.compression.experiment import Experiment
from onnxmem.data import Samples
from onnxmem.network.evaluation import Evaluation
from onnxmem.network.identity import identify, model_facts

_WITHOUT_INFLUENCE = frozenset(
    {
        *("layers", "compress", "split", "device", "samples", "pool"),
        *("fail_under", "fail_over", "min_accuracy", "baseline", "max_drop"),
        *("classes", "baseline_data"),
    }
)
"""Settings that change no curve, or whose effect is part of the identity already."""


def identify_curves(
    experiment: Experiment,
    samples: Samples,
    settings: Mapping[str, Any],
    environment: Mapping[str, Any],
) -> str:
    """Return a SHA-256 of what the results of all layers of an audit depend on.

    Args:
        experiment: what the layers have in common.
        samples: those that the audit chose from.
        settings: all of the audit, resolved.
        environment: device and versions, as in the report.
    """
    network = experiment.evaluation.network
    facts = {
        "model": model_facts(network),
        "settings": {k: v for k, v in settings.items() if k not in _WITHOUT_INFLUENCE},
        "samples": _samples(experiment.evaluation, samples),
    }
    return identify(network.device, environment, facts)


def _samples(evaluation: Evaluation, samples: Samples) -> str:
    """Return a hash of the chosen samples, their batches, and what counts as correct.

    The digests of samples are those of the data as they were given, rounded, so what the model
    takes comes beside them.
    """
    selection = evaluation.selection
    digest = hashlib.sha256(samples.digests[selection.rows].tobytes())
    for name, array in sorted({**evaluation.inputs, **evaluation.shared}.items()):
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(_bytes(to_host(array)))
    for batch in (*selection.single, *selection.mixed):
        digest.update(repr((batch.label, len(batch.rows))).encode())
        digest.update(batch.rows.astype("<i8").tobytes())
    digest.update(evaluation.truth.astype("<i8").tobytes())
    digest.update(repr((evaluation.accuracy, evaluation.independent)).encode())
    return digest.hexdigest()


def _bytes(array: np.ndarray) -> bytes:
    return repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
