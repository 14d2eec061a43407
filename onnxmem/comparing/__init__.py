"""Puts the reports of several models side by side.

`together` audits several models first; it is imported by itself, since comparing reports needs
nothing that runs a model.
"""

from onnxmem.comparing.comparison import compare
from onnxmem.records import Cell, Comparison, Row

__all__ = ["Cell", "Comparison", "Row", "compare"]
