"""The SARIF 2.1.0 report, for code hosts: failed gates and layers without a conclusion.

A model is a binary file, so every result stands at its first line and column; the layer is a
logical location. Fingerprints depend on rule and layer alone, so that a result keeps its
identity from run to run; one of them has the name that GitHub looks at, which would otherwise
take all results of a binary file for the same. The identifier of a run ends with a slash, so that
each model has a category of its own there.

A network that could not be audited has no results, which would all say the same, but an invocation
that did not succeed (`executionSuccessful`), with a notification that tells why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePath, PureWindowsPath
from typing import Any, Literal
from urllib.parse import quote

from onnxmem.findings import waivers_told
from onnxmem.records import Gate, Layer, Report
from onnxmem.report.words import gate_values, leading_key, sentence, tensor_name
from onnxmem.text import json_text, printable

MOST_RESULTS = 5_000
"""What a code host shows of one run; it takes 25,000, and files of 10 MB when compressed."""
SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
Level = Literal["error", "warning", "note"]
Json = dict[str, Any]

# id: level, name, one line, help
_RULES: dict[str, tuple[Level, str, str, str]] = {
    "gate-failed": (
        "error",
        "GateFailed",
        "A threshold set for this audit was not met.",
        (
            "The bound of the measured interval lies on the wrong side of the threshold. Compare "
            "the layers' curves with those of an earlier model, audited on the same samples and "
            "with the same settings, before changing the threshold. A low AuC says that many "
            "components are needed to keep the accuracy; it does not say which samples were "
            "memorized."
        ),
    ),
    "gate-not-measurable": (
        "warning",
        "GateNotMeasurable",
        "A threshold was set for a value that could not be measured, or on too few data.",
        (
            "Either every curve of this kind was saturated or skipped: set the threshold on a kind "
            "of batch that does not saturate; mixed batches seldom do. Or the data hold too few "
            "different samples, or too few classes, for a gate."
        ),
    ),
    "waiver-without-effect": (
        "note",
        "WaiverWithoutEffect",
        "A waiver had no effect.",
        (
            "It is past its day, its gate did not fail, its gate fails without the layer or the "
            "sample as well, or nothing has that name. Take it out, or renew it with its reason."
        ),
    ),
    "audit-inconclusive": (
        "warning",
        "AuditInconclusive",
        "The audit allows no conclusion about this model.",
        (
            "Check first that the accuracy of the untouched model is what you expect: wrong "
            "preprocessing or labels make every number meaningless."
        ),
    ),
    "layer-skipped": (
        "warning",
        "LayerSkipped",
        "A layer could not be measured.",
        "The reason stands in the message. The layer takes no part in any mean.",
    ),
    "layer-saturated": (
        "note",
        "LayerSaturated",
        "The curves of a layer lie at their ceiling.",
        (
            "A saturated curve holds no information: it is no sign that the layer generalises. It "
            "takes no part in a mean. Mixed batches saturate less than single-class batches."
        ),
    ),
    "layer-above": (
        "note",
        "LayerAboveBaseline",
        "The curves of a layer lie above the accuracy of the untouched model.",
        (
            "Compression makes right what the untouched model gets wrong: samples are pulled to "
            "the label of their batch. Labels of these classes are suspect, or were not fitted. "
            "The layer takes no part in a mean."
        ),
    ),
}


def render(report: Report) -> str:
    """Return the report as SARIF."""
    return render_all([report])


def render_all(reports: Sequence[Report]) -> str:
    """Return several reports as SARIF, a run for each, told apart by their automation details."""
    names = [relative_uri(report.model.path) for report in reports]
    runs = [
        _run(report, f"{uri}/{place}" if names.count(uri) > 1 else uri)
        for place, (report, uri) in enumerate(zip(reports, names, strict=True), start=1)
    ]
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": runs}
    return json_text(log)


def relative_uri(path: str) -> str:
    """Return `path` relative to the working folder, or its file name if it lies elsewhere."""
    pure: PurePath = PureWindowsPath(path) if "\\" in path else PurePath(path)
    if pure.is_absolute():
        here = Path.cwd()
        pure = pure.relative_to(here) if pure.is_relative_to(here) else PurePath(pure.name)
    if ".." in pure.parts or pure.drive:
        pure = PurePath(pure.name)
    shown = "/".join(pure.parts) or "model.onnx"
    return quote(shown, safe="/._-~", errors="backslashreplace")


def _run(report: Report, identity: str) -> Json:
    location = {"uri": relative_uri(report.model.path), "uriBaseId": "%SRCROOT%"}
    artifact: Json = {"location": location, "roles": ["analysisTarget"]}
    if report.model.sha256:
        artifact["hashes"] = {"sha-256": printable(report.model.sha256)}
    results = _results(report, location)
    return {
        "tool": {"driver": _driver(report)},
        "automationDetails": {"id": f"onnxmem/{identity}/"},
        "invocations": [_invocation(report, len(results) - MOST_RESULTS)],
        "artifacts": [artifact],
        "results": results[:MOST_RESULTS],
        "properties": {
            "verdict": report.verdict,
            "summary": sentence(report),
            "waivers": waivers_told(report),
        },
    }


def _invocation(report: Report, left_out: int) -> Json:
    invocation: Json = {"executionSuccessful": report.measured, "exitCode": report.exit_code}
    if not report.measured:
        text = _escaped(printable(report.reason, 400))
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": {"text": text}}]
    elif left_out > 0:
        text = f"{left_out} more results are in the JSON report"
        invocation["toolExecutionNotifications"] = [{"level": "note", "message": {"text": text}}]
    return invocation


def _driver(report: Report) -> Json:
    return {
        "name": printable(report.tool.name),
        "version": printable(report.tool.version),
        "rules": [
            {
                "id": name,
                "name": title,
                "shortDescription": {"text": short},
                "fullDescription": {"text": short},
                "help": {"text": text, "markdown": text},
                "defaultConfiguration": {"level": level},
                "properties": {"tags": ["machine-learning", "memorization"]},
            }
            for name, (level, title, short, text) in _RULES.items()
        ],
    }


def _results(report: Report, location: Json) -> list[Json]:
    if not report.measured:
        return []
    results = [
        _gate(gate, sum(one.key == gate.key for one in report.gates[:place]), location)
        | _suppressed(report, gate)
        for place, gate in enumerate(report.gates)
        if not gate.passed
    ]
    results += [
        _result("waiver-without-effect", told, f"{one.gate}\0{one.layer}\0{one.sample}", location)
        for one, told in zip(report.waivers, waivers_told(report), strict=True)
        if one.state != "applied"
    ]
    if report.verdict == "inconclusive":
        text = printable(report.reason, 400) or "nothing can be concluded"
        results.append(_result("audit-inconclusive", text, "", location))
    elif report.verdict == "fail" and not any(gate.passed is False for gate in report.gates):
        results.append(_result("gate-failed", printable(report.reason, 400), "", location))
    key = leading_key(report)
    for layer in report.layers:
        curve = layer.curve(key)
        if layer.status == "skipped":
            results.append(_layer("layer-skipped", layer, layer.reason, location))
        elif layer.status == "above" or (curve is not None and curve.above):
            reason = layer.reason or "its curves lie above the accuracy of the untouched model"
            results.append(_layer("layer-above", layer, reason, location))
        elif layer.status == "saturated" or (curve is not None and curve.saturated):
            reason = layer.reason or "its curves lie at their ceiling"
            results.append(_layer("layer-saturated", layer, reason, location))
    return results


def _gate(gate: Gate, before: int, location: Json) -> Json:
    """Return the result of a gate that follows `before` others for the same score."""
    rule = "gate-not-measurable" if gate.passed is None else "gate-failed"
    subject = f"{gate.key}\0{before}" if before else gate.key
    return _result(rule, f"{printable(gate.key)}: {gate_values(gate)}", subject, location)


def _suppressed(report: Report, gate: Gate) -> Json:
    """Return the suppressions of a gate that failed and is waived, nothing for others.

    A suppression without a status is one that was accepted (section 3.35.3).
    """
    waived = [one for one in report.waivers if one.gate == gate.key and one.state == "applied"]
    if not waived or gate.passed is None:
        return {}
    return {
        "suppressions": [
            {
                "kind": "external",
                "justification": printable(one.reason, 400),
                "properties": {
                    name: printable(value)
                    for name in ("layer", "sample", "expires")
                    if (value := getattr(one, name))
                },
            }
            for one in waived
        ]
    }


def _layer(rule: str, layer: Layer, reason: str, location: Json) -> Json:
    text = f"{tensor_name(layer.tensor)}: {printable(reason, 400) or _RULES[rule][2]}"
    result = _result(rule, text, layer.tensor, location)
    name = tensor_name(layer.tensor, 200)
    logical = {"name": name, "fullyQualifiedName": name, "kind": "variable"}
    result["locations"][0]["logicalLocations"] = [logical]
    return result


def _result(rule: str, text: str, subject: str, location: Json) -> Json:
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": _RULES[rule][0],
        "message": {"text": _escaped(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": dict(location),
                    "region": {"startLine": 1, "startColumn": 1},
                }
            }
        ],
        "partialFingerprints": {
            "onnxmem/v1": _fingerprint(rule, subject),
            "primaryLocationLineHash": f"{_fingerprint(rule, subject)[:16]}:1",
        },
    }


def _fingerprint(rule: str, subject: str) -> str:
    text = f"{rule}\0{subject}".encode("utf-8", "backslashreplace")
    return hashlib.sha256(text).hexdigest()[:32]


def _escaped(text: str) -> str:
    """Escape what SARIF reads in a message: placeholders in braces, links in brackets."""
    doubled = text.replace("{", "{{").replace("}", "}}")
    return doubled.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
