"""The hazards that docs/hazards.md explains, and how messages refer to them."""

from __future__ import annotations

PAGE = "docs/hazards.md"

ANCHORS = (
    "crossing-tensors",
    "rounding",
    "fixed-batch",
    "look-alikes",
    "quantized",
    "dynamic-quantization",
    "batch-size-crosses",
    "half-precision",
    "control-flow",
    "initializers-as-inputs",
    "outputs",
    "kinds-of-output",
    "batch-axis",
    "fused",
    "functions",
    "external-data",
    "refused",
    "training-mode",
    "relu-is-output",
    "recurrent",
)
"""One for each hazard, in the order of the page."""


def see(anchor: str) -> str:
    """Return the words that send a reader to a hazard's section, for the end of a message."""
    assert anchor in ANCHORS, anchor
    return f" (see {PAGE}#{anchor})"
