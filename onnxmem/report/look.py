"""The look that all charts share: colours, marks, text.

Every drawing has one description for those who do not see it, and none on its parts.

Colours are fixed for the compressors and stand out from light and dark paper alike; text and
grid take the colour of the text around them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from onnxmem.report.words import BATCHES, COMPRESSORS

Drawing = alt.LayerChart | alt.FacetChart
Spec = dict[str, Any]

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
DEPTH_SCHEME = alt.SchemeParams(name="viridis", extent=[0.2, 0.85])


@contextmanager
def unchecked() -> Iterator[None]:
    """Let charts be made without a check of every part against the schema of Vega-Lite.

    They are the same for every report but for names and numbers; tests check them.
    """
    with debug_mode(False):
        yield


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


def color(legend: alt.Legend | None = None) -> alt.Color:
    """Return the colour of the compressors."""
    scale = alt.Scale(domain=NAMES, range=list(MODEL_COLORS[: len(NAMES)]))
    return alt.Color("compressor:N", scale=scale, title=None, legend=legend)


def shape(legend: alt.Legend | None = None) -> alt.Shape:
    """Return the mark of the compressors."""
    scale = alt.Scale(domain=NAMES, range=list(SHAPES))
    return alt.Shape("compressor:N", scale=scale, title=None, legend=legend)


def offset() -> alt.YOffset:
    """Return the place of the compressors that are there beside each other, within one row."""
    return alt.YOffset("compressor:N", sort=NAMES, scale=alt.Scale(paddingOuter=0.7))


def dash(legend: alt.Legend | None = None) -> alt.StrokeDash:
    """Return the line of the kinds of batches."""
    scale = alt.Scale(domain=list(BATCHES.values()), range=[[1, 0], [5, 3]])
    return alt.StrokeDash("batch:N", scale=scale, title=None, legend=legend)


def compressor_legend(keys: Collection[str]) -> alt.Legend | None:
    """Return a legend of the compressors of the curves `keys`; None without any."""
    found = {key.partition(".")[0] for key in keys}
    return _legend(name for key, name in COMPRESSORS.items() if key in found)


def batch_legend(keys: Collection[str]) -> alt.Legend | None:
    """Return a legend of the kinds of batches of the curves `keys`; None without any."""
    found = {key.partition(".")[2] for key in keys}
    return _legend(name for key, name in BATCHES.items() if key in found)


def _legend(names: Iterable[str]) -> alt.Legend | None:
    values = list(names)
    return alt.Legend(values=values) if values else None


def unit(field: str, title: str, **options: Any) -> alt.X:
    """Return a horizontal axis from 0 to 1."""
    return alt.X(field, title=title, scale=alt.Scale(domain=[0, 1]), **options)
