"""The charts of a course of training as one PNG or SVG picture, without browser or network."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import vl_convert

from onnxmem.report import look, vega
from onnxmem.report.track import charts
from onnxmem.report.track.words import findings, sentence

if TYPE_CHECKING:
    from onnxmem.records import TrackReport

WIDTH = 420


def render(report: TrackReport, kind: str) -> bytes:
    """Return the picture as PNG bytes (two pixels a point) or as SVG text in UTF-8."""
    spec = picture_spec(report)
    if kind == "svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode("utf-8")
    png: bytes = vl_convert.vegalite_to_png(spec, scale=2, allowed_base_urls=[])
    return png


def picture_spec(report: TrackReport) -> dict[str, Any]:
    """Return the Vega-Lite specification, data included."""
    pair = vega.beside(
        charts.course(report).properties(width=WIDTH, title="The course (diamond: to keep)"),
        charts.fitting(report).properties(width=WIDTH, title="When samples are fitted"),
        spacing=28,
    ).independent("color")
    panels: list[Any] = [pair]
    if report.layers:
        title = "Agreement with neighbours, by layer"
        panels.append(charts.by_layer(report).properties(width=WIDTH, title=title))
    said = [sentence(report), *findings(report)[1:3]]
    heading = vega.title(
        "onnxmem: a course of training",
        subtitle=[line for one in said for line in textwrap.wrap(one, 130)],
        subtitlePadding=6,
        offset=14,
    )
    chart = vega.below(*panels, spacing=28, title=heading).independent("color")
    spec: dict[str, Any] = chart.to_dict()
    spec["config"] = look.config("#1c2430") | {"background": "white"}
    spec["padding"] = 20
    spec["datasets"] = spec.get("datasets", {}) | datasets(report)
    return spec


def datasets(report: TrackReport) -> dict[str, list[charts.Row]]:
    """Return the rows of all charts by the names of their data."""
    return {
        "course": charts.course_rows(report),
        "fitting": charts.fitting_rows(report),
        "layers": charts.layer_rows(report),
    }
