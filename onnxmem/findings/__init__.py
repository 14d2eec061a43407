"""What was found, in sentences: made once, from records, for every format.

    finding           a sentence, its number and interval, what it does not say, what to do next
    audit             all that an audit found, the headline first
    likeness          how alike several models are on held-out inputs
    evidence          what neighbours of the training samples tell
    waivers           gates that may fail, and what became of that
    comparison        what several models say together
    locate            in which layers samples are memorized
    numbers           numbers as sentences have them

A finding says what its record says and nothing more.
"""

from onnxmem.findings.audit import (
    above_baseline,
    audit_findings,
    audit_headline,
    headline_length,
)
from onnxmem.findings.comparison import comparison_findings, comparison_headline, short_names
from onnxmem.findings.evidence import evidence_findings, headline, two_numbers
from onnxmem.findings.finding import Finding
from onnxmem.findings.likeness import (
    LAYER_TITLES,
    PAIR_TITLES,
    layer_rows,
    likeness_findings,
    likeness_rows,
    likeness_summary,
    matrices,
)
from onnxmem.findings.locate import locate_findings, suspects_sentence
from onnxmem.findings.waivers import all_waivers_told, waived_because, waivers_told

__all__ = [
    "Finding",
    "LAYER_TITLES",
    "PAIR_TITLES",
    "above_baseline",
    "all_waivers_told",
    "audit_findings",
    "audit_headline",
    "comparison_findings",
    "comparison_headline",
    "evidence_findings",
    "headline",
    "headline_length",
    "layer_rows",
    "likeness_findings",
    "likeness_rows",
    "likeness_summary",
    "locate_findings",
    "matrices",
    "short_names",
    "suspects_sentence",
    "two_numbers",
    "waived_because",
    "waivers_told",
]
