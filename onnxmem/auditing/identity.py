"""What the curves of a layer depend on, as one hash.

What only chooses among results (layers, compressors) or judges them (gates) stays out. A memory
budget that was asked for is in, since it decides which samples run together; what happens to be
free is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import msgspec
import numpy as np

from onnxmem.arrays import to_host
from onnxmem.auditing.settings import Settings
from onnxmem.cache import Store
from onnxmem.compression.experiment import Experiment
from onnxmem.data import Samples, Selection
from onnxmem.network.evaluation import Evaluation
from onnxmem.network.identity import environment, identify, model_facts
from onnxmem.network.opening import Opened

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


@dataclass(frozen=True, slots=True)
class Trace:
    """What an audit leaves in the store for a plan of the same, which runs no network to find it.

    Attributes:
        key: of the hash of `identify_curves`.
        evidence_key: of a mark that neighbours are known.
    """

    key: str
    evidence_key: str

    @classmethod
    def of(cls, opened: Opened, selection: Selection, settings: Settings) -> Self:
        """Return the trace of audits of some samples, as far as the settings change results."""
        network, asked = opened.network, asdict(settings)
        facts = {
            "model": model_facts(network),
            "settings": {k: v for k, v in asked.items() if k not in _WITHOUT_INFLUENCE},
            "samples": selection.fingerprint(opened.samples.digests),
        }
        machine = environment(opened)
        first, second = (
            identify(network.device, machine, facts | {"kind": kind})
            for kind in ("identity of curves", repr(("neighbours", settings.evidence)))
        )
        return cls(first, second)

    def leave(self, store: Store, identity: str, *, with_evidence: bool) -> None:
        """Note in the store what was found out on the way."""
        store.put(self.key, msgspec.msgpack.encode(identity))
        if with_evidence:
            store.put(self.evidence_key, msgspec.msgpack.encode(True))

    def identity(self, store: Store) -> str | None:
        """Return the hash of `identify_curves`, None where no such audit was made."""
        found = store.get(self.key)
        try:
            return None if found is None else msgspec.msgpack.decode(found, type=str)
        except msgspec.DecodeError:
            return None

    def knows_evidence(self, store: Store) -> bool:
        """Tell whether neighbours of all samples are in the store."""
        return store.get(self.evidence_key) is not None


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
