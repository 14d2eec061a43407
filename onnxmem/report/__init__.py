"""A report as text, picture or table: one module for each format, all from the same records.

    html, markdown, comparison_markdown, junit, sarif, json, table, comparison_table, picture
                      one format each
    attestation, bom, model_card
                      one document each for those who take a model over
    metrics           the numbers that these tell
    words, findings, command
                      sentences and names that several formats share
    charts, comparison_charts, likeness, sparkline, look, rows, plots
                      the charts of page, picture and notebook, and the rows that they draw
    formats, output   the registry of formats, and how files are written
    samples, locate, track, survey
                      which samples are memorized and where, courses of training, many models
    sites             the sites of a model, in Markdown and for notebooks
    web               what all pages share
    schema, sense     what a stored report looks like, and whether one makes sense

A new format is a module with `render(report)`, a name and its cases in `formats`, and an option in
the command line's `options`.

Importing this package imports no other library: a format waits for its own alone, and only when it
is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from onnxmem.report.formats import (
    Format,
    render,
    render_comparison,
    render_locate,
    render_samples,
    render_survey,
    render_track,
    samples_table,
)
from onnxmem.report.output import check_writable, write, write_all
from onnxmem.text import capitalized

if TYPE_CHECKING:
    from onnxmem.records import (
        Comparison,
        LocateReport,
        Report,
        SamplesReport,
        SurveyReport,
        TrackReport,
    )
    from onnxmem.report.comparison_table import TerminalComparison
    from onnxmem.report.locate.table import TerminalLocate
    from onnxmem.report.samples.table import TerminalSamples
    from onnxmem.report.survey.table import TerminalSurvey
    from onnxmem.report.table import TerminalReport
    from onnxmem.report.track.table import TerminalTrack

__all__ = [
    "Format",
    "check_writable",
    "comparison_sentences",
    "image",
    "load",
    "load_stored",
    "plot",
    "render",
    "render_comparison",
    "render_locate",
    "render_samples",
    "render_survey",
    "render_track",
    "samples_fragment",
    "samples_sentence",
    "samples_table",
    "sentence",
    "side_by_side",
    "terminal",
    "write",
    "write_all",
]


def sentence(report: Report) -> str:
    """Return what was measured and what came of it, in one sentence."""
    from onnxmem.report import words

    return words.sentence(report)


def load(path: str | Path) -> Report:
    """Return the report that a JSON file holds.

    Raises:
        DataError: there is no such file, or it holds no report of this schema, or one that no audit
            could have written.
    """
    from onnxmem.report import json

    return json.load(path)


def load_stored(
    path: str | Path,
) -> Report | Comparison | SamplesReport | LocateReport | TrackReport:
    """Return what a JSON file holds: what one of the commands left there.

    Raises:
        DataError: there is no such file, or it holds none of these schemas.
    """
    from onnxmem.report import json

    return json.load_stored(path)


def terminal(
    report: Report | Comparison | SamplesReport | LocateReport | TrackReport | SurveyReport,
) -> (
    TerminalReport
    | TerminalComparison
    | TerminalSamples
    | TerminalLocate
    | TerminalTrack
    | TerminalSurvey
):
    """Return the report as something that a rich console prints."""
    from onnxmem.records import Comparison, LocateReport, SamplesReport, SurveyReport, TrackReport

    if isinstance(report, SurveyReport):
        from onnxmem.report.survey import table as of_models

        return of_models.TerminalSurvey(report)
    if isinstance(report, TrackReport):
        from onnxmem.report.track import table as of_course

        return of_course.TerminalTrack(report)
    if isinstance(report, LocateReport):
        from onnxmem.report.locate import table as of_layers

        return of_layers.TerminalLocate(report)
    if isinstance(report, SamplesReport):
        from onnxmem.report.samples import table as of_samples

        return of_samples.TerminalSamples(report)
    if isinstance(report, Comparison):
        from onnxmem.report import comparison_table

        return comparison_table.TerminalComparison(report)
    from onnxmem.report import table

    return table.TerminalReport(report)


def samples_fragment(report: SamplesReport) -> str:
    """Return what was found and the most memorized samples, for a notebook."""
    from onnxmem.report.samples import page

    return page.fragment(report)


def comparison_sentences(comparison: Comparison) -> str:
    """Return what a comparison says, and what cannot be compared, a line each."""
    from onnxmem.findings import comparison_findings, comparison_headline
    from onnxmem.report import findings

    others = comparison_findings(comparison)[1:]
    said = [f"{capitalized(one.sentence)}." for one in others]
    lines = [f"{comparison_headline(comparison)}.", *said, *findings.limits(comparison)]
    return "\n".join(lines)


def samples_sentence(report: SamplesReport) -> str:
    """Return which samples are memorized, in one sentence."""
    from onnxmem.report.samples import words

    return words.sentence(report)


def plot(
    report: Report | Comparison | SamplesReport | LocateReport | TrackReport | SurveyReport,
) -> Any:
    """Return the charts of a report as an Altair object, which has its data with it."""
    from onnxmem.report import plots

    return plots.plot(report)


def image(report: Report | Comparison, kind: Literal["png", "svg"]) -> bytes:
    """Return the charts of a report, or of a comparison, as one picture.

    Raises:
        UsageError: `kind` is neither png nor svg.
    """
    from onnxmem.report import picture

    return picture.render(report, kind)


def side_by_side(reports: Sequence[Report], lead: str = "") -> str:
    """Return one page for several reports: all models together, then each of them.

    `lead` stands in place of the remark on whether the reports may be compared.

    Raises:
        UsageError: there is no report.
    """
    from onnxmem.report import html

    return html.side_by_side(reports, lead)
