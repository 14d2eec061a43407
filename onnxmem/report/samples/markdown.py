"""Samples as Markdown, for the summary of a job: the most memorized first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.report.markdown import code, escaped
from onnxmem.report.samples.words import READ_SO, class_name, findings, layer_name, sentence, share

if TYPE_CHECKING:
    from onnxmem.records import SamplesReport

SHOWN = 100
MOST_LAYERS = 200


def render(report: SamplesReport) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: SamplesReport) -> Iterator[str]:
    icon = "⚠️" if report.network is None else "ℹ️"
    yield f"## {icon} {escaped(report.tool.name)}: which samples are memorized"
    yield ""
    yield escaped(sentence(report), 1_000)
    yield ""
    yield from (f"- {escaped(one, 600)}" for one in findings(report)[2:])
    yield ""
    yield from _samples(report)
    yield from _layers(report)
    yield from (f"- {escaped(note, 300)}" for note in report.notes)
    yield ""
    yield from READ_SO


def _samples(report: SamplesReport) -> Iterator[str]:
    chosen = sorted(
        (one for one in report.samples if one.memorized), key=lambda one: (-one.margin, one.row)
    )
    if not chosen:
        return
    yield f"### The {min(SHOWN, len(chosen))} most memorized of {len(chosen):,}"
    yield ""
    yield "| Sample | Label | Neighbours say | Margin | Depth |"
    yield "| --- | --- | --- | ---: | ---: |"
    for one in chosen[:SHOWN]:
        names = (class_name(number, report.names) for number in (one.label, one.neighbours_say))
        label, says = map(escaped, names)
        depth = "never" if one.depth is None else one.depth
        yield f"| {code(one.id)} | {label} | {says} | {one.margin:.2f} | {depth} |"
    yield ""


def _layers(report: SamplesReport) -> Iterator[str]:
    if not report.layers:
        return
    yield "### Where neighbours agree with the label"
    yield ""
    yield "| Layer | All | Suspects | Held-out |"
    yield "| --- | ---: | ---: | ---: |"
    for number, one in enumerate(report.layers[:MOST_LAYERS]):
        shares = (one.own_agreement, one.suspects_agreement, one.held_out_agreement)
        cells = " | ".join(map(share, shares))
        yield f"| {number} {code(layer_name(one.tensor))} | {cells} |"
    yield ""
