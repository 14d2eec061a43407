"""Words that several formats have for where a network memorizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.findings import locate_findings, suspects_sentence
from onnxmem.findings.numbers import percent
from onnxmem.text import capitalized, file_name, printable

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

READ_SO = (
    "Rewinding: the network with one segment, every node between two activations, taken from the "
    "checkpoint; accuracy on the labels that samples came with. Where it falls on suspects and "
    "stays on others, what was learned since the checkpoint for suspects alone lies there.",
    "Depth: share of samples whose nearest other samples have the label that they came with.",
    "Probe: share of samples whose given label a ridge regression on a layer reads off all other "
    "samples; with permuted labels, what its freedom alone gives.",
    "Gradients: norm of the mean gradient of suspects over that of others, and the cosine between "
    "the two, of the weights of Conv, Gemm and MatMul. Early in training wrong labels pull against "
    "the others; once all are fitted nothing is left of that.",
    "Units: chosen by gradients, switched off one after the other until a sample loses its label. "
    "Suspects need fewer, but margins say as much, and other samples change as well: this finds "
    "no neurons that memorize, and is no gate.",
)


def sentence(report: LocateReport) -> str:
    """Return what was found in one sentence."""
    found = locate_findings(report)
    reason = f"where it memorizes cannot be told: {printable(report.reason, 300)}"
    return f"{file_name(report.model.path)}: {found[0].sentence if found else reason}."


def heading(report: LocateReport) -> str:
    """Return what a table or a page stands under."""
    name = file_name(report.model.path)
    return f"Where {name} memorizes" + (" cannot be told" if report.reason else "")


def headline(report: LocateReport) -> str:
    """Return the finding of most weight, which a page begins with."""
    found = locate_findings(report)
    reason = f"Where it memorizes cannot be told: {printable(report.reason, 300)}".rstrip(".")
    return capitalized(found[0].sentence) if found else reason


def beside_headline(report: LocateReport) -> list[str]:
    """Return who the suspects are, and what the headline does not say."""
    if not report.suspected:
        return []
    told = [suspects_sentence(report), *(one.caution for one in locate_findings(report)[:1])]
    return [f"{capitalized(one)}." for one in told if one]


def findings(report: LocateReport) -> list[str]:
    """Return all that was found, a sentence each, and what it does not say."""
    told = [f"{capitalized(suspects_sentence(report))}."] if report.suspected else []
    for one in locate_findings(report):
        caution = f" ({one.caution})" if one.caution else ""
        told.append(f"{capitalized(one.sentence)}{caution}.")
    return told or [f"{capitalized(printable(report.reason, 300))}."]


def notes(report: LocateReport) -> Iterator[str]:
    """Yield what was left out or assumed, made harmless."""
    parts = (report, report.units, report.rewinding, *report.gradients)
    for part in parts:
        if part is not None:
            yield from (printable(note, 300) for note in part.notes)


def layer_name(tensor: str, length: int = 60) -> str:
    """Return the name of a layer, made harmless."""
    return printable(tensor, length).strip() or "(no name)"


def share(value: float | None) -> str:
    """Return a share in percents, a dash where there is none."""
    return "–" if value is None else percent(value)


def number(value: float | None, form: str = ".2f") -> str:
    """Return a number, a dash where there is none."""
    return "–" if value is None else format(value, form)
