"""The registry of formats: each name, and the module that writes it.

A format is imported when it is asked for, so that JSON does not wait for a chart library.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from onnxmem.errors import UsageError
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import (
        Comparison,
        Evidence,
        LocateReport,
        Report,
        SamplesReport,
        SurveyReport,
        TrackReport,
    )


class Format(StrEnum):
    """A text format that a report can be written in."""

    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    SARIF = "sarif"
    NOTEBOOK = "notebook"
    ATTESTATION = "attest"
    BOM = "bom"
    MODEL_CARD = "model_card"


def render(report: Report, name: str) -> str:
    """Return the report as text of the format `name`.

    Raises:
        UsageError: there is no such format.
    """
    match _format(name):
        case Format.JSON:
            from onnxmem.report import json

            return json.render(report)
        case Format.HTML:
            from onnxmem.report import html

            return html.render(report)
        case Format.MARKDOWN:
            from onnxmem.report import markdown

            return markdown.render(report)
        case Format.JUNIT:
            from onnxmem.report import junit

            return junit.render(report)
        case Format.SARIF:
            from onnxmem.report import sarif

            return sarif.render(report)
        case Format.NOTEBOOK:
            from onnxmem.report import html

            return html.fragment(report)
        case Format.ATTESTATION:
            from onnxmem.report import attestation

            return attestation.render(report)
        case Format.BOM:
            from onnxmem.report import bom

            return bom.render(report)
        case Format.MODEL_CARD:
            from onnxmem.report import model_card

            return model_card.render(report)
        case unknown:
            assert_never(unknown)


def render_comparison(comparison: Comparison, name: str) -> str:
    """Return the comparison as text of the format `name`.

    Raises:
        UsageError: there is no such format, or it takes one report alone.
    """
    match _format(name):
        case Format.JSON:
            from onnxmem.report import json

            return json.render(comparison)
        case Format.HTML:
            from onnxmem.report import html

            return html.compared(comparison)
        case Format.MARKDOWN:
            from onnxmem.report import comparison_markdown

            return comparison_markdown.render(comparison)
        case Format.JUNIT:
            from onnxmem.report import junit

            return junit.render_all(comparison.reports)
        case Format.SARIF:
            from onnxmem.report import sarif

            return sarif.render_all(comparison.reports)
        case Format.NOTEBOOK:
            from onnxmem.report import html

            return html.compared_fragment(comparison)
        case Format.ATTESTATION | Format.BOM | Format.MODEL_CARD as single:
            raise UsageError(f"{single} is about one model; give the report of one")
        case unknown:
            assert_never(unknown)


def samples_table(samples: Evidence | SamplesReport, name: str) -> str | bytes:
    """Return all samples, a row each, as `csv` or `parquet`.

    Raises:
        UsageError: a library is missing.
    """
    if name == "csv":
        from onnxmem.report.samples import csv

        return csv.render(samples)
    from onnxmem.report.samples import parquet

    return parquet.render(samples)


SAMPLES_FORMATS = ("json", "html", "markdown", "csv", "parquet")
"""What samples of a network can be written in."""


def render_samples(report: SamplesReport, name: str) -> str | bytes:
    """Return the samples of a network in a format; Parquet is bytes.

    Raises:
        UsageError: there is no such format for them, or a library is missing.
    """
    match name:
        case "json":
            from onnxmem.report import json

            return json.render_samples(report)
        case "html":
            from onnxmem.report.samples import page

            return page.render(report)
        case "markdown":
            from onnxmem.report.samples import markdown

            return markdown.render(report)
        case "csv" | "parquet":
            return samples_table(report, name)
        case _:
            raise UsageError(
                f"samples cannot be written as {printable(str(name))}; choose one of "
                f"{', '.join(SAMPLES_FORMATS)}"
            )


LOCATE_FORMATS = ("json", "html", "markdown", "png", "svg")
"""What `onnxmem locate` finds can be written in."""


def render_locate(report: LocateReport, name: str) -> str | bytes:
    """Return where a network memorizes in a format; pictures are bytes.

    Raises:
        UsageError: there is no such format for it.
    """
    match name:
        case "json":
            from onnxmem.report import json

            return json.render(report)
        case "html":
            from onnxmem.report.locate import page

            return page.render(report)
        case "markdown":
            from onnxmem.report.locate import markdown

            return markdown.render(report)
        case "png" | "svg":
            from onnxmem.report.locate import picture

            return picture.render(report, name)
        case _:
            raise UsageError(
                f"where a network memorizes cannot be written as {printable(str(name))}; choose "
                f"one of {', '.join(LOCATE_FORMATS)}"
            )


TRACK_FORMATS = ("json", "html", "markdown", "csv", "png", "svg")
"""What a course of training can be written in."""


def render_track(report: TrackReport, name: str) -> str | bytes:
    """Return a course of training in a format; pictures are bytes.

    Raises:
        UsageError: there is no such format for it.
    """
    match name:
        case "json":
            from onnxmem.report import json

            return json.render(report)
        case "html":
            from onnxmem.report.track import page

            return page.render(report)
        case "markdown":
            from onnxmem.report.track import markdown

            return markdown.render(report)
        case "csv":
            from onnxmem.report.track import csv

            return csv.render(report)
        case "png" | "svg":
            from onnxmem.report.track import picture

            return picture.render(report, name)
        case _:
            raise UsageError(
                f"a course cannot be written as {printable(str(name))}; choose one of "
                f"{', '.join(TRACK_FORMATS)}"
            )


SURVEY_FORMATS = ("json", "html")
"""What a survey of many models can be written in."""


def render_survey(report: SurveyReport, name: str) -> str:
    """Return a survey in a format.

    Raises:
        UsageError: there is no such format for it.
    """
    match name:
        case "json":
            from onnxmem.report import json

            return json.render(report)
        case "html":
            from onnxmem.report.survey import page

            return page.render(report)
        case _:
            raise UsageError(
                f"a survey cannot be written as {printable(str(name))}; choose one of "
                f"{', '.join(SURVEY_FORMATS)}"
            )


def _format(name: str) -> Format:
    try:
        return Format(name)
    except ValueError as error:
        names = ", ".join(Format)
        raise UsageError(
            f"there is no format {printable(str(name))!r}; choose one of {names}"
        ) from error
