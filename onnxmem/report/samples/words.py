"""Words that several formats have for samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from onnxmem.findings import evidence_findings, headline
from onnxmem.findings.numbers import percent
from onnxmem.text import capitalized, file_name, printable

if TYPE_CHECKING:
    from onnxmem.records import SamplesReport

HEADLINE = 2
"""Findings that the headline holds: what was memorized, and label noise."""

READ_SO = (
    "Memorized: the network gives the label although most of the nearest other training samples "
    "have another one. That is so of wrong labels, and of hard samples whose label is right.",
    "Margin: by how much another label has more neighbours, mean over the input and all layers. "
    "Depth: after how many layers neighbours agree with the label for good.",
    "The share of the network goes by the input and the first half of the layers, where a label "
    "that was learned by heart has not yet moved its sample; the samples are flagged by all.",
)


def sentence(report: SamplesReport) -> str:
    """Return what was found in one sentence."""
    return f"{file_name(report.model.path)} {headline(report)}."


def findings(report: SamplesReport) -> list[str]:
    """Return all that was found, a sentence each, and what it does not say."""
    found = []
    for one in evidence_findings(report):
        caution = f" ({one.caution})" if one.caution else ""
        found.append(f"{capitalized(one.sentence)}{caution}.")
    return found


def cautions(report: SamplesReport) -> list[str]:
    """Return what the headline does not say."""
    return [f"{capitalized(one.caution)}." for one in evidence_findings(report)[:HEADLINE]]


def class_name(number: int, names: Mapping[str, str], length: int = 24) -> str:
    """Return what a class is called, made harmless: its number where it has no name."""
    return printable(names.get(str(number), str(number)), length)


def layer_name(tensor: str, length: int = 60) -> str:
    """Return the name of a layer, made harmless."""
    return printable(tensor, length).strip() or "(no name)"


def share(value: float | None) -> str:
    """Return a share in percents, a dash where there is none."""
    return "–" if value is None else percent(value)
