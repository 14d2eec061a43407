"""What was found, in sentences: made once, from records, for every format.

    finding           a sentence, its number and interval, what it does not say, what to do next
    likeness          how alike several models are on held-out inputs
    evidence          what neighbours of the training samples tell
    numbers           numbers as sentences have them

A finding says what its record says and nothing more.
"""

from onnxmem.findings.evidence import evidence_findings, headline, two_numbers
from onnxmem.findings.finding import Finding
from onnxmem.findings.likeness import (
    LAYER_TITLES,
    PAIR_TITLES,
    layer_rows,
    likeness_findings,
    likeness_rows,
    matrices,
)

__all__ = [
    "Finding",
    "LAYER_TITLES",
    "PAIR_TITLES",
    "evidence_findings",
    "headline",
    "layer_rows",
    "likeness_findings",
    "likeness_rows",
    "matrices",
    "two_numbers",
]
