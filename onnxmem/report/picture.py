"""The charts as one PNG or SVG picture, drawn without a browser and without a network."""

from __future__ import annotations

import textwrap
from typing import Any

import altair as alt
import vl_convert

from onnxmem.errors import UsageError
from onnxmem.records import Report
from onnxmem.report import charts, look, rows
from onnxmem.report.words import BATCHES, curve_keys, sentence, worst_first
from onnxmem.text import file_name

MOST_PANELS = 48
WIDTH = 400
CURVE_TITLES = {
    "rank": "Accuracy against rank",
    "fraction": "Accuracy against units kept",
}


def render(report: Report, kind: str) -> bytes:
    """Return the picture as PNG bytes (two pixels a point) or as SVG text in UTF-8.

    Raises:
        UsageError: `kind` is neither png nor svg.
    """
    if kind not in ("png", "svg"):
        raise UsageError(f"there is no picture of kind {str(kind)[:20]!r}; choose png or svg")
    spec = picture_spec(report)
    if kind == "svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode("utf-8")
    png: bytes = vl_convert.vegalite_to_png(spec, scale=2, allowed_base_urls=[])
    return png


def picture_spec(report: Report) -> dict[str, Any]:
    """Return the Vega-Lite specification of the whole picture, data included."""
    title = alt.TitleParams(
        f"onnxmem: {file_name(report.model.path)}",
        subtitle=textwrap.wrap(sentence(report), 130),
        subtitlePadding=6,
        offset=14,
    )
    chart = alt.vconcat(*_panels(report), spacing=28, title=title)
    spec: dict[str, Any] = chart.to_dict()
    spec["config"] = look.config("#1c2430") | {"background": "white"}
    spec["padding"] = 20
    for parameter in spec.get("params", []):
        if parameter["name"] == charts.CHOSEN:
            parameter["value"] = -1
    spec["datasets"] = spec.get("datasets", {}) | {
        "curves": rows.curve_rows(report),
        "bare": rows.bare_rows(report),
        "times": rows.time_rows(report),
    }
    return spec


def _panels(report: Report) -> list[Any]:
    panels: list[Any] = []
    batches = [batch for batch in BATCHES if any(k.endswith(batch) for k in curve_keys(report))]
    if batches:
        panels.append(alt.hconcat(*(_overview(report, batch) for batch in batches)))
    panels += [_curves(report, x_name) for x_name in _x_names(report)]
    below = []
    if charts.rank_keys(report):
        title = f"Reconstruction error, {charts.rank_keys(report)[0]}"
        below.append(charts.all_errors(report).properties(width=WIDTH, title=title))
    if report.seconds:
        below.append(charts.times(report).properties(width=WIDTH, title="Time"))
    if below:
        panels.append(alt.hconcat(*below))
    return panels or [alt.Chart(alt.InlineData([{}])).mark_text(text="no layer was measured")]


def _overview(report: Report, batch: str) -> look.Drawing:
    return charts.overview(report, batch).properties(
        width=WIDTH, title=f"AuC, {BATCHES[batch]} batches (hollow: saturated)"
    )


def _curves(report: Report, x_name: str) -> alt.FacetChart:
    """Return the curves of the layers with the lowest AuC, in the order of the network."""
    lowest = {id(layer) for layer in worst_first(report)[:MOST_PANELS]}
    names = [
        name
        for name, layer in zip(rows.row_names(report), report.layers, strict=True)
        if id(layer) in lowest and layer.curves
    ]
    return charts.small_multiples(names, x_name).properties(title=CURVE_TITLES[x_name])


def _x_names(report: Report) -> list[str]:
    found = {curve.x_name for layer in report.layers for curve in layer.curves}
    return [x_name for x_name in ("rank", "fraction") if x_name in found]
