"""What is found, as plain frozen values: strings, numbers, tuples and each other.

    report            one audit: model, data, layers, curves, gates
    comparison        several reports side by side
    names             what models are called beside each other
    comparability     what reports must agree on before their scores may be compared

They know no format and no file; the field names are those of the JSON.
"""

from onnxmem.records.comparison import COMPARISON_SCHEMA, Cell, Comparison, Row
from onnxmem.records.names import model_names
from onnxmem.records.report import (
    CACHED_LAYERS,
    SATURATION,
    SCHEMA,
    Baseline,
    Curve,
    CutInfo,
    DataInfo,
    Gate,
    Group,
    Layer,
    Metric,
    ModelInfo,
    Report,
    Score,
    Status,
    Tool,
    Verdict,
)

__all__ = [
    "Baseline",
    "CACHED_LAYERS",
    "COMPARISON_SCHEMA",
    "Cell",
    "Comparison",
    "Curve",
    "CutInfo",
    "DataInfo",
    "Gate",
    "Group",
    "Layer",
    "Metric",
    "ModelInfo",
    "Report",
    "Row",
    "SATURATION",
    "SCHEMA",
    "Score",
    "Status",
    "Tool",
    "Verdict",
    "model_names",
]
