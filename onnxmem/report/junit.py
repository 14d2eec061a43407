"""The JUnit report: a test case for each layer, each gate and the verdict.

A layer that was not scored counts as skipped: it neither passed nor failed. The verdict on a
network that could not be audited at all is called by its name, so that a list of skipped cases
says which network it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as xml

from onnxmem.findings import waived_because, waivers_told
from onnxmem.records import Curve, Gate, Layer, Report, model_names
from onnxmem.report.words import (
    accuracy,
    gate_values,
    interval,
    key_title,
    number,
    sentence,
    state,
    tensor_name,
)
from onnxmem.text import printable


def render(report: Report) -> str:
    """Return the report as JUnit XML."""
    return render_all([report])


def render_all(reports: Sequence[Report]) -> str:
    """Return several reports as JUnit XML, a test suite for each.

    Servers tell cases apart by class and name alone, so the class holds the model where there are
    several.
    """
    root = xml.Element("testsuites", name="onnxmem")
    for name, report in zip(model_names(reports), reports, strict=True):
        root.append(_suite(name, report, f"onnxmem.{name}" if len(reports) > 1 else "onnxmem"))
    _set_counts(root, sum(sum(report.seconds.values()) for report in reports))
    xml.indent(root)
    text: str = xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(name: str, report: Report, package: str) -> xml.Element:
    suite = xml.Element("testsuite", name=f"onnxmem {name}")
    properties = xml.SubElement(suite, "properties")
    for key, value in _properties(report):
        xml.SubElement(properties, "property", name=key, value=value)
    names = [tensor_name(layer.tensor, 200) for layer in report.layers]
    times = Counter(names)
    for place, (shown, layer) in enumerate(zip(names, report.layers, strict=True), start=1):
        _layer(suite, layer, shown if times[shown] == 1 else f"{place} {shown}")
    for gate in report.gates:
        cause = "" if report.measured else f": {printable(report.reason, 400)}"
        _gate(suite, gate, cause, waived_because(report, gate.key))
    _waivers(suite, report)
    _verdict(suite, report, "verdict" if report.measured else name)
    for case in suite.iter("testcase"):
        case.set("classname", f"{package}.{case.get('classname')}")
    _set_counts(suite, sum(report.seconds.values()))
    return suite


def _set_counts(element: xml.Element, seconds: float) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", "0")
    if element.tag == "testsuite":
        element.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    element.set("time", number(seconds))


def _properties(report: Report) -> tuple[tuple[str, str], ...]:
    return (
        ("tool", printable(f"{report.tool.name} {report.tool.version}")),
        ("model.sha256", printable(report.model.sha256)),
        ("data.sha256", printable(report.data.sha256)),
        ("baseline", accuracy(report.baseline)),
        ("verdict", report.verdict),
    )


def _case(suite: xml.Element, group: str, name: str) -> xml.Element:
    return xml.SubElement(suite, "testcase", classname=group, name=name, time="0")


def _layer(suite: xml.Element, layer: Layer, name: str) -> None:
    case = _case(suite, "layers", name)
    if layer.status != "scored":
        reason = printable(layer.reason, 400)
        message = f"{layer.status}: {reason}" if reason else layer.status
        xml.SubElement(case, "skipped", message=message)
    if layer.curves:
        xml.SubElement(case, "system-out").text = "\n".join(map(_line, layer.curves))


def _line(curve: Curve) -> str:
    bounds = f"95 % interval {interval(curve.auc_low, curve.auc_high)}"
    title = f"AuC ({key_title(curve.key)})"
    return f"{title} {number(curve.auc)}, {bounds if curve.scored else state(curve)}"


def _gate(suite: xml.Element, gate: Gate, cause: str, waived: str) -> None:
    values = gate_values(gate)
    case = _case(suite, "gates", f"{printable(gate.key, 200)} {gate.threshold}")
    if gate.passed is None:
        why = "the value could not be measured" if gate.value is None else "the data carry no gate"
        message = f"inconclusive: {why}{cause}"
        xml.SubElement(case, "skipped", message=message)
    elif not gate.passed and waived:
        xml.SubElement(case, "skipped", message=f"failed and waived: {waived}")
    elif not gate.passed:
        message = f"{printable(gate.key)}: {values}"
        xml.SubElement(case, "failure", message=message, type="gate")
    xml.SubElement(case, "system-out").text = values


def _waivers(suite: xml.Element, report: Report) -> None:
    """Add a case that is skipped for each waiver; what it says is in the message."""
    for place, told in enumerate(waivers_told(report), start=1):
        case = _case(suite, "waivers", f"{place} {printable(report.waivers[place - 1].gate)}")
        xml.SubElement(case, "skipped", message=told)


def _verdict(suite: xml.Element, report: Report, name: str) -> None:
    """Add the verdict; it fails only where no gate says so already."""
    case = _case(suite, "verdict", name)
    reason = printable(report.reason, 400) or report.verdict
    if report.verdict == "inconclusive":
        xml.SubElement(case, "skipped", message=f"inconclusive: {reason}")
    elif report.verdict == "fail" and not any(gate.passed is False for gate in report.gates):
        xml.SubElement(case, "failure", message=reason, type="verdict")
    xml.SubElement(case, "system-out").text = sentence(report)
