"""The few kinds of charts that the figures are made of. Their data lie in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnxmem.report import look, vega

Row = dict[str, Any]
WIDTH, HEIGHT = 380, 240


def names_of(rows: Sequence[Row], field: str) -> list[Any]:
    """Return the values of a field in the order of their first row."""
    return list(dict.fromkeys(row[field] for row in rows))


def by_name(rows: Sequence[Row], field: str = "network") -> vega.Spec:
    """Return a colour for each network, in their order."""
    names = names_of(rows, field)
    few = len(names) <= len(look.MODEL_COLORS)
    scale = (
        vega.scale(domain=names, range=list(look.MODEL_COLORS[: len(names)]))
        if few
        else vega.scale(domain=names, scheme="viridis")
    )
    return vega.channel(f"{field}:N", title=None, scale=scale, legend=vega.legend(columns=4))


def share(field: str, title: str) -> vega.Spec:
    """Return a vertical axis from 0 to 1."""
    return vega.channel(f"{field}:Q", title=title, scale=vega.scale(domain=[0, 1]))


def lines(
    rows: Sequence[Row], x: vega.Spec, y: vega.Spec, *, field: str = "network", dash: str = ""
) -> Any:
    """Return lines with their points, one for each value of `field` (and of `dash`)."""
    stroke = vega.legend(symbolType="stroke")
    dashes = (
        {}
        if not dash
        else {"strokeDash": vega.channel(f"{dash}:N", title=None, sort=None, legend=stroke)}
    )
    return (
        vega.Chart.of(vega.inline(list(rows)))
        .mark("line", strokeWidth=2, point=vega.overlay(size=28))
        .encode(x=x, y=y, color=by_name(rows, field), **dashes)
        .properties(width=WIDTH, height=HEIGHT)
    )


def points(rows: Sequence[Row], x: vega.Spec, y: vega.Spec, *, field: str = "network") -> Any:
    """Return points, coloured by `field`."""
    return (
        vega.Chart.of(vega.inline(list(rows)))
        .mark("point", filled=True, size=60, opacity=0.85)
        .encode(x=x, y=y, color=by_name(rows, field))
        .properties(width=WIDTH, height=HEIGHT)
    )


def depth() -> vega.Spec:
    """Return an axis of layers, from the input on."""
    return vega.channel("layer:O", title="layer, from the input on", axis=vega.axis(labelAngle=0))


def rank() -> vega.Spec:
    """Return an axis of ranks."""
    return vega.channel("rank:Q", title="rank k (log scale)", scale=vega.scale(type="log", base=2))


def along() -> vega.Spec:
    """Return an axis of checkpoints in the order of training."""
    return vega.channel(
        "checkpoint:N", title="checkpoint", sort=None, axis=vega.axis(labelAngle=-40)
    )


def titled(chart: Any, title: str) -> Any:
    """Return a chart under a title."""
    return chart.properties(title=title)


def beside(*charts: Any, columns: int = 2) -> Any:
    """Return charts beside and below each other, each with its own colours."""
    rows = [
        vega.beside(*charts[start : start + columns], spacing=28).independent("color", "strokeDash")
        for start in range(0, len(charts), columns)
    ]
    return vega.below(*rows, spacing=28).independent("color", "strokeDash")
