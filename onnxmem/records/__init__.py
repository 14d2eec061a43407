"""What is found, as plain frozen values: strings, numbers, tuples and each other.

    report            one audit: model, data, layers, curves, gates
    comparison        several reports side by side
    evidence          what the neighbours of its training samples tell of a network
    samples_report    the same of every sample, as a report of its own
    survey_report     many models: a row for each
    track_report      checkpoints of a course of training, and the one to keep
    locate_report     where a network memorizes, as a report of its own
    waiver            gates that may fail, for a reason
    names             what models are called beside each other
    comparability     what reports must agree on before their scores may be compared

They know no format and no file; the field names are those of the JSON.
"""

from onnxmem.records.comparison import (
    COMPARISON_SCHEMA,
    Cell,
    Comparison,
    Predictions,
    Row,
    Similarity,
)
from onnxmem.records.evidence import (
    Estimate,
    Evidence,
    LabelNoise,
    LayerEvidence,
    NetworkEvidence,
    SampleEvidence,
)
from onnxmem.records.locate_report import (
    LOCATE_SCHEMA,
    Accuracies,
    Depth,
    GradientAccount,
    LayerGradient,
    LayerProbe,
    LayerUnits,
    LocateReport,
    Probes,
    Rewinding,
    SampleUnits,
    Segment,
    Suspected,
    Units,
    UnitsGroup,
)
from onnxmem.records.names import model_names
from onnxmem.records.report import (
    CACHED_LAYERS,
    RELATIVE,
    SATURATION,
    SCHEMA,
    Baseline,
    Batch,
    Compressor,
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
from onnxmem.records.samples_report import SAMPLES_SCHEMA, SamplesReport
from onnxmem.records.survey_report import SURVEY_SCHEMA, SurveyedModel, SurveyReport
from onnxmem.records.track_report import (
    TRACK_SCHEMA,
    Checkpoint,
    Choice,
    TrackedSample,
    TrackReport,
)
from onnxmem.records.waiver import Waiver, WaiverState, make_waiver

__all__ = [
    "Checkpoint",
    "Choice",
    "Predictions",
    "Similarity",
    "SURVEY_SCHEMA",
    "SurveyReport",
    "SurveyedModel",
    "TRACK_SCHEMA",
    "TrackReport",
    "TrackedSample",
    "SamplesReport",
    "SampleEvidence",
    "NetworkEvidence",
    "LayerEvidence",
    "LabelNoise",
    "Evidence",
    "Estimate",
    "SAMPLES_SCHEMA",
    "Accuracies",
    "Depth",
    "LOCATE_SCHEMA",
    "LocateReport",
    "Rewinding",
    "Segment",
    "Suspected",
    "GradientAccount",
    "LayerGradient",
    "LayerProbe",
    "Probes",
    "LayerUnits",
    "SampleUnits",
    "Units",
    "UnitsGroup",
    "Baseline",
    "Batch",
    "CACHED_LAYERS",
    "COMPARISON_SCHEMA",
    "Cell",
    "Comparison",
    "Compressor",
    "Curve",
    "CutInfo",
    "DataInfo",
    "Gate",
    "Group",
    "Layer",
    "Metric",
    "ModelInfo",
    "Report",
    "RELATIVE",
    "Row",
    "SATURATION",
    "SCHEMA",
    "Score",
    "Status",
    "Tool",
    "Verdict",
    "Waiver",
    "WaiverState",
    "make_waiver",
    "model_names",
]
