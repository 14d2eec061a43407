"""What an audit found, in sentences, that of most weight first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from onnxmem.findings.cure import INSPECT, cure
from onnxmem.findings.evidence import evidence_findings
from onnxmem.findings.finding import Finding
from onnxmem.findings.numbers import counted, listed
from onnxmem.text import beside, capitalized, printable
from onnxmem.text import listed as names_of

if TYPE_CHECKING:
    from onnxmem.records import Curve, Gate, Report

_NAMES = {"nmf": "NMF", "pca": "PCA", "ablation": "ablation"}
_BATCHES = {"class": "single-class", "mixed": "mixed"}
_LEADING = ("nmf.mixed", "nmf.class", "pca.mixed", "pca.class", "ablation.mixed", "ablation.class")
_LOWEST = 3
"""Layers that are named as those that need the most components."""


def audit_findings(report: Report) -> list[Finding]:
    """Return all findings; the first one is the headline.

    What stands in the way of an answer comes first, then gates that failed, what neighbours tell,
    and how compressible the layers are.
    """
    return [*_verdict(report), *_evidence(report), *_compression(report), *_suspect(report)]


def audit_headline(report: Report) -> str:
    """Return the finding of most weight as a sentence of its own, without a full stop."""
    found = audit_findings(report)
    if not found:
        return "No layer could be told to need more components than others"
    told = "; ".join(one.sentence for one in found[: headline_length(found)])
    return capitalized(told)


def headline_length(found: Sequence[Finding]) -> int:
    """Return how many findings the headline holds: what was memorized comes with label noise."""
    pair = [one.key for one in found[:2]] == ["memorized_share", "label_noise"]
    return 2 if pair else min(1, len(found))


def _verdict(report: Report) -> Iterator[Finding]:
    if report.verdict == "inconclusive":
        reason = printable(report.reason, 400).rstrip(".")
        if report.measured:
            todo = printable(cure(report), 200)
            yield Finding("verdict", f"inconclusive: {todo}", caution=reason)
        else:
            yield Finding("verdict", f"inconclusive: {reason}", follow=INSPECT)
    for gate in report.gates:
        if gate.passed is False:
            yield _failed(gate, waived=gate.key in report.waived)


def _failed(gate: Gate, *, waived: bool) -> Finding:
    value, limit = beside(gate.bound if gate.bound is not None else gate.value, gate.threshold)
    key = printable(gate.key, 80)
    under = "." in gate.key and not gate.key.endswith(":drop")
    side = "at most {}, below {}" if under else "at least {}, above {}"
    what = "gate failed and waived" if waived else "gate failed"
    return Finding(
        key="gate",
        sentence=f"{what}: {key} is {side.format(value, limit)}",
        value=gate.value,
        follow="docs/gates.md says what a gate can and cannot tell",
    )


def _evidence(report: Report) -> list[Finding]:
    if report.evidence is None:
        return []
    if report.evidence.network is None:
        reason = printable(report.evidence.reason, 300)
        return [Finding("memorized_share", f"which samples it memorized cannot be told: {reason}")]
    return evidence_findings(report.evidence)


def _compression(report: Report) -> Iterator[Finding]:
    key = next((one for one in _LEADING if one in report.summary), None)
    score = None if key is None else report.summary[key]
    if key is None or score is None or score.auc is None:
        return
    compressor, batch = key.split(".")
    bounds = ""
    if score.auc_low is not None and score.auc_high is not None:
        bounds = f" ({score.auc_low:.3f}–{score.auc_high:.3f})"
    over = (
        f"over {counted(score.layers_scored, 'layer')} "
        f"({_NAMES[compressor]}, {_BATCHES[batch]} batches)"
    )
    yield Finding(
        key=key,
        sentence=f"mean AuC {score.auc:.3f}{bounds} {over}",
        value=score.auc,
        low=score.auc_low,
        high=score.auc_high,
        caution="no fixed value divides learning from memorizing; compare like with like",
        follow="onnxmem compare MODEL OTHER --data DATA",
    )
    yield from _lowest(report, key)


def above_baseline(report: Report) -> str:
    """Return what curves above the baseline tell, an empty string where there are none."""
    found = [one for layer in report.layers for one in layer.curves if one.above]
    if not found:
        return ""
    kinds = [key for key in _LEADING if any(one.key == key for one in found)]
    told = listed([f"{_NAMES[c]}, {_BATCHES[b]}" for c, b in (key.split(".") for key in kinds)])
    labels = sorted({label for one in found for label in one.suspects})
    names = report.data.names
    suspects = [printable(names.get(str(label), str(label)), 40) for label in labels]
    noun = "class" if len(suspects) == 1 else "classes"
    named = f"the labels of {noun} {names_of(suspects, 10)}" if suspects else "labels"
    return (
        f"compression makes right what the untouched network gets wrong ({told}): {named} are "
        "suspect, or were not fitted"
    )


def _suspect(report: Report) -> Iterator[Finding]:
    if told := above_baseline(report):
        follow = "docs/reading.md says what a curve above the baseline means"
        yield Finding("above", told, follow=follow)


def _lowest(report: Report, key: str) -> Iterator[Finding]:
    """Name the layers that need the most components to keep their accuracy."""
    places = enumerate(report.layers, start=1)
    curves = [(place, layer.tensor, layer.curve(key)) for place, layer in places]
    scored = [(place, name, one) for place, name, one in curves if one and one.scored]
    if len(scored) < 2:
        return
    lowest = sorted(scored, key=lambda item: item[2].auc)[:_LOWEST]
    told = [_layer(place, name, one) for place, name, one in lowest]
    yield Finding(
        key=f"{key}.lowest",
        sentence=f"most components are needed at {listed(told)}",
        caution="layers of other width or kind need not be comparable",
    )


def _layer(place: int, tensor: str, one: Curve) -> str:
    return f"layer {place} {printable(tensor, 40).strip() or '(no name)'} ({one.auc:.3f})"
