"""Small curves for the rows of a table: accuracy against rank, without axes, as inline SVG."""

from __future__ import annotations

import math

from markupsafe import Markup

from onnxmem.records import Curve, Report
from onnxmem.report.words import leading_key

WIDTH, HEIGHT = 88, 22
_EDGE = 2


def of_layers(report: Report) -> list[Markup]:
    """Return for each layer its curve of the leading key, drawn; empty where it has none."""
    key = leading_key(report)
    curves = [layer.curve(key) for layer in report.layers]
    return [Markup("") if one is None else drawn(one) for one in curves]


def drawn(curve: Curve) -> Markup:
    """Return the curve as an SVG element, which those who do not see it need not hear of."""
    levels = [math.log2(x) if curve.x_name == "rank" else float(x) for x in curve.x]
    low, high = min(levels), max(levels)
    points = " ".join(
        f"{_across((level - low) / (high - low or 1)):.1f},{_down(accuracy):.1f}"
        for level, accuracy in zip(levels, curve.accuracy, strict=True)
    )
    return Markup(
        '<svg class="spark" width="{w}" height="{h}" viewBox="0 0 {w} {h}" aria-hidden="true">'
        '<polyline points="{points}"/></svg>'
    ).format(w=WIDTH, h=HEIGHT, points=points)


def _across(share: float) -> float:
    return _EDGE + share * (WIDTH - 2 * _EDGE)


def _down(accuracy: float) -> float:
    return HEIGHT - _EDGE - accuracy * (HEIGHT - 2 * _EDGE)
