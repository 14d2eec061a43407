"""The registry of measures, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onnxmem.evidence.facts import Facts
from onnxmem.evidence.held_out import held_out_accuracy, held_out_disagreement
from onnxmem.evidence.label_noise import label_noise
from onnxmem.evidence.memorization import memorized_share, strong_share
from onnxmem.records import NetworkEvidence

MEASURES: Mapping[str, Callable[[Facts], Any]] = {
    "memorized_share": memorized_share,
    "strong_share": strong_share,
    "label_noise": label_noise,
    "held_out_disagreement": held_out_disagreement,
    "held_out_accuracy": held_out_accuracy,
}
"""Fields of `NetworkEvidence`, and what measures each."""


def measure(facts: Facts) -> NetworkEvidence:
    """Return all that is told of the network."""
    return NetworkEvidence(
        samples=len(facts.labels),
        fitted=float(facts.fitted.mean()),
        held_out_samples=0 if facts.held_out is None else len(facts.held_out.predictions),
        **{name: function(facts) for name, function in MEASURES.items()},
    )
