"""What is said when a command ends: tables on stdout, messages on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnxmem import report as formats
from onnxmem.text import capitalized, printable

from .entry import MESSAGE_LENGTH
from .streams import tell

if TYPE_CHECKING:
    from onnxmem.cache import Store
    from onnxmem.records import Comparison, LocateReport, Report, SamplesReport, TrackReport


def note_trouble(store: Store, *, quiet: bool) -> None:
    """Say why results are not kept, where they are not; no audit fails for that."""
    if store.trouble and not quiet:
        tell(f"onnxmem: note: {printable(store.trouble, 400)}")


def conclude(report: Report, *, table: bool, quiet: bool) -> None:
    """Show a report: a table on stdout or a sentence on stderr; if quiet, only what is wrong."""
    if not quiet and table:
        from .console import show

        show(formats.terminal(report))
    elif not quiet:
        tell(formats.sentence(report))
    elif report.exit_code:
        tell(f"onnxmem: {report.verdict}: {printable(report.reason, 400)}")
    if quiet or not table:
        say_waivers(report)


def say_waivers(report: Report) -> None:
    """Say on stderr what became of waivers, which never goes unsaid."""
    from onnxmem.findings import waivers_told

    for told, one in zip(waivers_told(report), report.waivers, strict=True):
        if one.state != "unneeded":
            tell(f"onnxmem: {told}")


def conclude_samples(report: SamplesReport, *, table: bool, quiet: bool) -> None:
    """Show samples: tables on stdout or a sentence on stderr; nothing if quiet."""
    if quiet:
        return
    if table:
        from .console import show

        show(formats.terminal(report))
    else:
        from onnxmem.report.samples.words import sentence

        tell(sentence(report))


def conclude_locate(report: LocateReport, *, table: bool, quiet: bool) -> None:
    """Show where a network memorizes: tables on stdout or a sentence on stderr."""
    if quiet:
        return
    if table:
        from .console import show

        show(formats.terminal(report))
    else:
        from onnxmem.report.locate.words import sentence

        tell(sentence(report))


def conclude_track(report: TrackReport, *, table: bool, quiet: bool) -> None:
    """Show a course of training: tables on stdout or a sentence on stderr; nothing if quiet."""
    if quiet:
        return
    if table:
        from .console import show

        show(formats.terminal(report))
    else:
        from onnxmem.report.track.words import sentence

        tell(sentence(report))


def conclude_comparison(comparison: Comparison, *, table: bool, quiet: bool) -> None:
    """Show a comparison, or what it found on stderr; if quiet, only what is wrong."""
    if not quiet and table:
        from .console import show

        show(formats.terminal(comparison))
    elif not quiet:
        from onnxmem.findings import comparison_findings

        for one in comparison_findings(comparison):
            tell(f"{capitalized(one.sentence)}.")
    for name, report in zip(comparison.models, comparison.reports, strict=True):
        if not report.measured:
            tell(f"onnxmem: error: {printable(report.reason, MESSAGE_LENGTH)}")
        elif report.exit_code:
            tell(f"onnxmem: {name}: {report.verdict}: {printable(report.reason, 400)}")
        say_waivers(report)
