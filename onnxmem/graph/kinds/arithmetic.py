"""Functions that are never negative and mostly serve something else than units."""

from __future__ import annotations

from onnxmem.graph.kinds.kind import Kind, operator

SOFTMAX = Kind("softmax", "Softmax", "Softmax", signed=False, patterns=(operator("Softmax"),),
               of_units=False)  # fmt: skip
EXP = Kind("exp", "Exp", "Exp", signed=False, patterns=(operator("Exp"),), of_units=False)
ABS = Kind("abs", "Abs", "Abs", signed=False, patterns=(operator("Abs"),), of_units=False)
