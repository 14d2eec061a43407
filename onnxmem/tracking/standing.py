"""What is remembered of one checkpoint, for the choice and for the samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnxmem.evidence.facts import Facts, HeldOut, margins
from onnxmem.evidence.memorization import memorized_share
from onnxmem.network.features import INPUT
from onnxmem.records import Estimate


@dataclass(frozen=True, slots=True)
class HeldOutStanding:
    """How a checkpoint stands to held-out inputs, all checkpoints to the same in the same order.

    Attributes:
        by_layer: tensor -> the share of inputs that agree.
        agrees: (inputs,) the share of layers at which most of the nearest training samples have
            the label that the checkpoint gives.
        right: (inputs,) whether its answer is right, None without labels.
    """

    by_layer: dict[str, float]
    agrees: np.ndarray
    right: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One checkpoint.

    Attributes:
        path, sha256: the file.
        fitted: (samples,) whether it gives the label that the sample came with.
        margin: (samples,) by how much another label has more neighbours, mean over all layers.
        memorized_share: of the samples.
        held_out: None without held-out inputs.
    """

    path: str
    sha256: str
    fitted: np.ndarray
    margin: np.ndarray
    memorized_share: Estimate
    held_out: HeldOutStanding | None


def stand(path: str, sha256: str, facts: Facts) -> Standing:
    """Return what is remembered of a checkpoint."""
    held_out = None if facts.held_out is None else _held_out(facts, facts.held_out)
    return Standing(
        path=path,
        sha256=sha256,
        fitted=facts.fitted,
        margin=margins(facts.all_votes, facts.labels),
        memorized_share=memorized_share(facts),
        held_out=held_out,
    )


def _held_out(facts: Facts, held: HeldOut) -> HeldOutStanding:
    layers = [one for one in facts.layers if one.tensor != INPUT] or list(facts.layers)
    hits = {one.tensor: held.predictions == one.held_out_majority for one in layers}
    return HeldOutStanding(
        by_layer={tensor: float(hit.mean()) for tensor, hit in hits.items()},
        agrees=np.mean(list(hits.values()), axis=0),
        right=None if held.labels is None else held.labels == held.predictions,
    )
