"""The CycloneDX 1.6 bill of materials of a model: what it is, and what was measured of it.

Metrics stand in the model card, each with its 95 % confidence interval where it has one. Values are
texts there, and unrounded. Equal reports give equal files: there is no time of day in them.
"""

from __future__ import annotations

import uuid
from typing import Any

from onnxmem.records import Gate, Report
from onnxmem.report.metrics import Metric, is_sha256, layer_metrics, metrics
from onnxmem.text import file_name, json_text, printable

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
MODEL, DATA = "model", "data"
LIMITS = (
    "A low AuC does not prove memorization, and a high one does not prove generalization; compare "
    "only networks of one architecture on the same samples with the same settings.",
    "A memorized sample is not a mislabelled one, and nothing is said about privacy.",
)
Json = dict[str, Any]


def render(report: Report) -> str:
    """Return the bill of materials."""
    seed = "\0".join((report.model.sha256, report.data.sha256, report.tool.version))
    tool = {
        "type": "application",
        "name": printable(report.tool.name),
        "version": printable(report.tool.version),
    }
    return json_text(
        {
            "$schema": SCHEMA,
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}",
            "version": 1,
            "metadata": {"tools": {"components": [tool]}},
            "components": [_model(report), _data(report)],
        }
    )


def _model(report: Report) -> Json:
    measured = [*metrics(report), *layer_metrics(report)]
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": file_name(report.model.path) or "model.onnx",
        **_hashes(report.model.sha256),
        "modelCard": {
            "modelParameters": {"task": "classification", "datasets": [{"ref": DATA}]},
            "quantitativeAnalysis": {"performanceMetrics": list(map(_metric, measured))},
            "considerations": {"technicalLimitations": _limits(report)},
        },
        "properties": [
            _property("verdict", report.verdict),
            _property("reason", report.reason),
            *(
                _property(f"gate:{printable(gate.key)}", _told(report, gate))
                for gate in report.gates
            ),
        ],
    }


def _data(report: Report) -> Json:
    counts = f"{report.data.samples} samples of {report.data.classes} classes were used"
    return {
        "type": "data",
        "bom-ref": DATA,
        "name": file_name(report.data.path) or "data",
        "description": counts,
        "properties": [_property("samples-sha256", report.data.sha256)],
    }


def _hashes(sha256: str) -> Json:
    return {"hashes": [{"alg": "SHA-256", "content": sha256}]} if is_sha256(sha256) else {}


def _metric(one: Metric) -> Json:
    found: Json = {"type": one.type, "value": str(one.value)}
    if one.of:
        found["slice"] = one.of
    if one.low is not None and one.high is not None:
        bounds = {"lowerBound": str(one.low), "upperBound": str(one.high)}
        found["confidenceInterval"] = bounds
    return found


def _limits(report: Report) -> list[str]:
    if report.verdict != "inconclusive":
        return list(LIMITS)
    return [f"The audit is inconclusive: {printable(report.reason, 400)}", *LIMITS]


def _told(report: Report, gate: Gate) -> str:
    if gate.passed is None:
        return "not measurable"
    if gate.passed:
        return "passed" if report.verdict != "inconclusive" else "inconclusive"
    return "failed, waived" if gate.key in report.waived else "failed"


def _property(name: str, value: str) -> Json:
    return {"name": f"onnxmem:{name}", "value": printable(value, 1_000)}
