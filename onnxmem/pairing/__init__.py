"""What two reports have in common: layers that correspond, and how far their curves are apart.

    matching       which layers of several models correspond
    differences    the difference of their curves, with an interval, paired where samples allow

It knows nothing of what is then made of a difference: a comparison, or a gate.
"""

from onnxmem.pairing.differences import (
    Difference,
    Pair,
    apart,
    paired,
    paired_by_batches,
    shared_seed,
)
from onnxmem.pairing.matching import Matched, match_layers

__all__ = [
    "Difference",
    "Matched",
    "Pair",
    "apart",
    "match_layers",
    "paired",
    "paired_by_batches",
    "shared_seed",
]
