"""The charts of a report or a comparison as one PNG or SVG picture, without browser or network."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import vl_convert

from onnxmem.errors import UsageError
from onnxmem.findings import all_waivers_told, likeness_findings
from onnxmem.records import Comparison, Report, model_names
from onnxmem.report import charts, comparison_charts, likeness, look, rows, vega
from onnxmem.report.findings import findings, limits
from onnxmem.report.words import (
    BATCHES,
    COMPRESSORS,
    KEYS,
    batches,
    key_title,
    leading,
    levels_of,
    sentence,
    worst_first,
)
from onnxmem.text import file_name

MOST_PANELS = 48
WIDTH = 400
_MOST_SAID = 3
"""Sentences on likeness above a picture."""

NOTHING = vega.Chart.of(vega.inline([{}])).mark("text", text="no layer was measured")

CURVE_TITLES = {
    "rank": "Accuracy against rank",
    "fraction": "Accuracy against units kept",
}


def render(report: Report | Comparison, kind: str) -> bytes:
    """Return the picture as PNG bytes (two pixels a point) or as SVG text in UTF-8.

    Raises:
        UsageError: `kind` is neither png nor svg.
    """
    if isinstance(report, Report):
        return draw(picture_spec(report), kind)
    return draw(comparison_spec(report), kind)


def draw(spec: dict[str, Any], kind: str) -> bytes:
    """Return a Vega-Lite specification, data included, as a picture; see `render`.

    Raises:
        UsageError: `kind` is neither png nor svg.
    """
    if kind not in ("png", "svg"):
        raise UsageError(f"there is no picture of kind {str(kind)[:20]!r}; choose png or svg")
    if kind == "svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode("utf-8")
    png: bytes = vl_convert.vegalite_to_png(spec, scale=2, allowed_base_urls=[])
    return png


def picture_spec(report: Report) -> dict[str, Any]:
    """Return the Vega-Lite specification of one report's picture, data included."""
    datasets = {
        "curves": rows.curve_rows(report),
        "bare": rows.bare_rows(report),
        "times": rows.time_rows(report),
    }
    return _spec(file_name(report.model.path), [sentence(report)], _panels(report), datasets)


def comparison_spec(comparison: Comparison) -> dict[str, Any]:
    """Return the Vega-Lite specification of a comparison's picture, data included."""
    keys = [key for key in KEYS if key in comparison.summary]
    first = leading(keys)
    names = list(model_names(comparison.reports))
    title = f"{len(names)} models compared"
    if first is None:
        return _spec(title, limits(comparison), [], {})
    said = likeness_findings(comparison)[:_MOST_SAID]
    said += findings(replace(comparison, summary={first: comparison.summary[first]}))
    by_compressor = [[k for k in keys if k.startswith(f"{one}.")] for one in COMPRESSORS]
    by_model = vega.below(
        *(_depths(names, group) for group in by_compressor if group),
        _matched(comparison, names, first),
        spacing=28,
    )
    panels = vega.below(
        _means(names, keys), by_model, *_likeness(comparison), spacing=28
    ).independent("color", "fill", "shape")
    datasets = {
        "models": rows.model_rows(comparison.reports),
        "depths": rows.depth_rows(comparison.reports),
        "matched": rows.matched_rows(comparison, [first]),
        **likeness.datasets(comparison),
    }
    return _spec(title, [*said, *all_waivers_told(comparison)], [panels], datasets)


def _means(names: list[str], keys: Sequence[str]) -> vega.Chart:
    legend = look.compressor_legend(keys)
    drawn = [
        comparison_charts.together(names, batch, legend).properties(
            width=WIDTH, title=f"Mean AuC, {title} batches"
        )
        for batch, title in BATCHES.items()
        if any(key.endswith(f".{batch}") for key in keys)
    ]
    return vega.beside(*drawn)


def _likeness(comparison: Comparison) -> list[vega.Chart]:
    """Return how alike the models are on held-out inputs; nothing without such inputs."""
    titles = {"alike": "CKA, layer by layer, held-out inputs", **likeness.map_names(comparison)}
    drawn = [
        chart.properties(width=WIDTH, title=titles[name])
        for name, chart in likeness.charts(comparison).items()
    ]
    pairs = [drawn[start : start + 2] for start in range(0, len(drawn), 2)]
    return [vega.beside(*pair).independent("color") for pair in pairs]


def _depths(names: list[str], keys: Sequence[str]) -> vega.Chart:
    drawn = [
        comparison_charts.by_depth_of(names, key).properties(
            width=WIDTH, title=f"AuC of each layer, {key_title(key)} (hollow: saturated or above)"
        )
        for key in keys
    ]
    return vega.beside(*drawn)


def _matched(comparison: Comparison, names: list[str], key: str) -> vega.Chart:
    x_name = levels_of(key)
    layers = rows.matched_names(comparison)
    title = f"{CURVE_TITLES[x_name]}, {key_title(key)}"
    if len(layers) > MOST_PANELS:
        title += f", the first {MOST_PANELS} of {len(layers)} layers"
    return comparison_charts.matched_curves(names, layers[:MOST_PANELS], x_name).properties(
        title=title
    )


def _spec(
    title: str, said: Sequence[str], panels: Sequence[Any], datasets: dict[str, list[rows.Row]]
) -> dict[str, Any]:
    """Return the specification of panels below each other, under a title and some sentences."""
    heading = vega.title(
        f"onnxmem: {title}",
        subtitle=[line for one in said for line in textwrap.wrap(one, 130)],
        subtitlePadding=6,
        offset=14,
    )
    stacked = vega.below(*(panels or [NOTHING]), spacing=28, title=heading)
    # With a scale in common, a mark that asks for no legend would hide the legends of all panels.
    chart = stacked.independent("color")
    spec: dict[str, Any] = chart.to_dict()
    spec["config"] = look.config("#1c2430") | {"background": "white"}
    spec["padding"] = 20
    for parameter in spec.get("params", []):
        if parameter["name"] == charts.CHOSEN:
            parameter["value"] = -1
    spec["datasets"] = spec.get("datasets", {}) | datasets
    return spec


def _panels(report: Report) -> list[Any]:
    panels: list[Any] = []
    if found := batches(report):
        panels.append(vega.beside(*(_overview(report, batch) for batch in found)))
    measured = {curve.x_name for layer in report.layers for curve in layer.curves}
    panels += [_curves(report, x_name) for x_name in CURVE_TITLES if x_name in measured]
    below = []
    if charts.rank_keys(report):
        title = f"Reconstruction error, {charts.rank_keys(report)[0]}"
        below.append(charts.all_errors(report).properties(width=WIDTH, title=title))
    if report.seconds:
        below.append(charts.times(report).properties(width=WIDTH, title="Time"))
    if below:
        panels.append(vega.beside(*below))
    return panels


def _overview(report: Report, batch: str) -> look.Drawing:
    return charts.overview(report, batch, legend=True).properties(
        width=WIDTH, title=f"AuC, {BATCHES[batch]} batches (hollow: saturated or above)"
    )


def _curves(report: Report, x_name: str) -> vega.Chart:
    """Return the curves of the layers with the lowest AuC, in the order of the network."""
    lowest = {id(layer) for layer in worst_first(report)[:MOST_PANELS]}
    names = [
        name
        for name, layer in zip(rows.row_names(report), report.layers, strict=True)
        if id(layer) in lowest and layer.curves
    ]
    title = CURVE_TITLES[x_name]
    if len(report.layers) > MOST_PANELS:
        title += f", the {MOST_PANELS} layers with the lowest AuC"
    return charts.small_multiples(report, names, x_name).properties(title=title)
