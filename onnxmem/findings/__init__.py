"""What was found, in sentences: made once, from records, for every format.

    finding           a sentence, its number and interval, what it does not say, what to do next
    evidence          what neighbours of the training samples tell
    waivers           gates that may fail, and what became of that
    numbers           numbers as sentences have them

A finding says what its record says and nothing more.
"""

from onnxmem.findings.evidence import evidence_findings, headline, two_numbers
from onnxmem.findings.finding import Finding
from onnxmem.findings.waivers import waived_because, waivers_told

__all__ = [
    "Finding",
    "evidence_findings",
    "headline",
    "two_numbers",
    "waived_because",
    "waivers_told",
]
