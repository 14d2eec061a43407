"""Words that several formats have for where a network memorizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnxmem.findings.locate import locate_findings, suspects_sentence
from onnxmem.findings.numbers import percent
from onnxmem.text import file_name, printable

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

READ_SO = (
    "Rewinding: the network with one segment, every node between two activations, taken from the "
    "checkpoint; accuracy on the labels that the samples came with. It tells where was learned, "
    "since the checkpoint, what the suspects need and the others do not.",
    "Depth: share of samples whose nearest other samples have the label that they came with.",
)


def sentence(report: LocateReport) -> str:
    """Return what was found in one sentence."""
    found = locate_findings(report)
    told = found[0].sentence if found else f"cannot be told: {printable(report.reason, 300)}"
    return (
        f"{file_name(report.model.path)} {told}."
        if found
        else f"Where {file_name(report.model.path)} memorizes {told}."
    )


def findings(report: LocateReport) -> list[str]:
    """Return all that was found, a sentence each, and what it does not say."""
    told = [f"{_capital(suspects_sentence(report))}."] if report.suspected else []
    for one in locate_findings(report):
        caution = f" ({one.caution})" if one.caution else ""
        told.append(f"{_capital(one.sentence)}{caution}.")
    return told


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def layer_name(tensor: str, length: int = 60) -> str:
    """Return the name of a layer, made harmless."""
    return printable(tensor, length).strip() or "(no name)"


def share(value: float | None) -> str:
    """Return a share in percents, a dash where there is none."""
    return "–" if value is None else percent(value)
