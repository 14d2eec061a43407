"""The in-toto statement of an audit: which gates a model passed, bound to its file by its hash.

Statement v1 with the predicate test-result v0.1, see `PREDICATE`. What was not measured is a test
that failed: the predicate knows passed, passed with warnings, and failed, and an audit without a
conclusion shows nothing. A waived gate is a warning. The statement is not signed; that is what its
envelope is for (`cosign attest-blob --statement`).
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from onnxmem.errors import UsageError
from onnxmem.records import Gate, Report
from onnxmem.report.metrics import is_sha256
from onnxmem.text import file_name, json_text, printable

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
NO_GATE = "an attestation says whether gates passed, and none was set; give --fail-under or another"
VERDICT = "verdict"
SAMPLES = "onnxmemSamplesSha256"
"""Names a hash of the samples and their labels, whatever file they come in; not one of a file."""


def render(report: Report) -> str:
    """Return the statement.

    Raises:
        UsageError: no gate was set, so there is nothing to attest; or the report has no hash of the
            model to bind it to.
    """
    if not report.gates:
        raise UsageError(NO_GATE)
    if not is_sha256(report.model.sha256):
        raise UsageError(
            "the report holds no SHA-256 of its model, so nothing can be attested of it"
        )
    return json_text(
        {
            "_type": STATEMENT,
            "subject": [
                {
                    "name": file_name(report.model.path),
                    "digest": {"sha256": report.model.sha256},
                }
            ],
            "predicateType": PREDICATE,
            "predicate": _predicate(report),
        }
    )


def _predicate(report: Report) -> dict[str, Any]:
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for gate in report.gates:
        tests[_list_of(report, gate)].append(printable(gate.key, 200))
    if report.verdict not in ("pass", "fail"):
        tests["failedTests"].append(VERDICT)
    return {"result": _result(report), "configuration": _configuration(report), **tests}


def _result(report: Report) -> str:
    if report.verdict != "pass":
        return "FAILED"
    return "WARNED" if report.waived else "PASSED"


def _list_of(report: Report, gate: Gate) -> str:
    if report.verdict not in ("pass", "fail") or gate.passed is None:
        return "failedTests"
    if gate.passed:
        return "passedTests"
    return "warnedTests" if gate.key in report.waived else "failedTests"


def _configuration(report: Report) -> list[dict[str, Any]]:
    """Return the descriptors of what was run, and on what."""
    names = ("tool", "settings", "environment", "gates", "waivers", "verdict", "reason")
    content = {name: msgspec.to_builtins(getattr(report, name)) for name in names}
    found: list[dict[str, Any]] = [
        {
            "name": "onnxmem-audit.json",
            "mediaType": "application/json",
            "content": base64.b64encode(json_text(content).encode()).decode("ascii"),
        }
    ]
    if is_sha256(report.data.sha256):
        name = file_name(report.data.path) or "data"
        found.append({"name": name, "digest": {SAMPLES: report.data.sha256}})
    return found
