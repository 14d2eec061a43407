"""The look that all charts share: colours, marks, text.

Every drawing has one description for those who do not see it, and none on its parts.

Colours are fixed for the compressors and stand out from light and dark paper alike; text and
grid take the colour of the text around them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from onnxmem.report import vega
from onnxmem.report.words import BATCHES, COMPRESSORS

Drawing = vega.Chart
Spec = vega.Spec

COLORS = ("#3b82d6", "#d9730d", "#14946a")
MODEL_COLORS = (
    "#3b82d6",
    "#d9730d",
    "#14946a",
    "#b657c4",
    "#c94a4a",
    "#8a7a1f",
    "#6b7a8f",
)
ROW_HEIGHT = 24

NAMES = list(COMPRESSORS.values())
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DEPTH_SCHEME = vega.options(name="viridis", extent=[0.2, 0.85])


def config(text: str) -> Spec:
    """Return the look that all charts share, for text of the given colour."""
    return {
        "background": "transparent",
        "aria": False,
        "font": "system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif",
        "view": {"stroke": None},
        "axis": {
            "labelColor": text,
            "titleColor": text,
            "tickColor": text,
            "domainColor": text,
            "gridColor": text,
            "gridOpacity": 0.13,
            "domainOpacity": 0.35,
            "tickOpacity": 0.35,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "labelFlush": False,
        },
        "legend": {
            "labelColor": text,
            "titleColor": text,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "orient": "top",
            "title": None,
            "symbolStrokeWidth": 2,
            "columnPadding": 14,
        },
        "title": {
            "color": text,
            "anchor": "start",
            "fontSize": 13,
            "subtitleColor": text,
        },
        "text": {"color": text},
        "header": {"labelColor": text, "titleColor": text, "labelFontSize": 11},
    }


def color(legend: Spec | None = None) -> Spec:
    """Return the colour of the compressors."""
    scale = vega.scale(domain=NAMES, range=list(MODEL_COLORS[: len(NAMES)]))
    return vega.channel("compressor:N", scale=scale, title=None, legend=legend)


def shape(legend: Spec | None = None) -> Spec:
    """Return the mark of the compressors."""
    scale = vega.scale(domain=NAMES, range=list(SHAPES))
    return vega.channel("compressor:N", scale=scale, title=None, legend=legend)


def offset() -> Spec:
    """Return the place of the compressors that are there beside each other, within one row."""
    return vega.channel("compressor:N", sort=NAMES, scale=vega.scale(paddingOuter=0.7))


def dash(legend: Spec | None = None) -> Spec:
    """Return the line of the kinds of batches."""
    scale = vega.scale(domain=list(BATCHES.values()), range=[[1, 0], [5, 3]])
    return vega.channel("batch:N", scale=scale, title=None, legend=legend)


def filled() -> Spec:
    """Return how marks tell scores from curves that tell nothing, which are hollow."""
    return vega.condition(vega.equal("state", "scored"), vega.value(1), vega.value(0))


def compressor_legend(keys: Collection[str]) -> Spec | None:
    """Return a legend of the compressors of the curves `keys`; None without any."""
    found = {key.partition(".")[0] for key in keys}
    return _legend(name for key, name in COMPRESSORS.items() if key in found)


def batch_legend(keys: Collection[str]) -> Spec | None:
    """Return a legend of the kinds of batches of the curves `keys`; None without any."""
    found = {key.partition(".")[2] for key in keys}
    return _legend(name for key, name in BATCHES.items() if key in found)


def _legend(names: Iterable[str]) -> Spec | None:
    values = list(names)
    return vega.legend(values=values) if values else None


def unit(field: str, title: str | None, **options: Any) -> Spec:
    """Return a horizontal axis from 0 to 1."""
    return vega.channel(field, title=title, scale=vega.scale(domain=[0, 1]), **options)
