"""The few kinds of charts that the figures are made of. Their data lie in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from onnxmem.report import look

Row = dict[str, Any]
WIDTH, HEIGHT = 380, 240


def names_of(rows: Sequence[Row], field: str) -> list[Any]:
    """Return the values of a field in the order of their first row."""
    return list(dict.fromkeys(row[field] for row in rows))


def by_name(rows: Sequence[Row], field: str = "network") -> alt.Color:
    """Return a colour for each network, in their order."""
    names = names_of(rows, field)
    few = len(names) <= len(look.MODEL_COLORS)
    scale = (
        alt.Scale(domain=names, range=list(look.MODEL_COLORS[: len(names)]))
        if few
        else alt.Scale(domain=names, scheme="viridis")
    )
    return alt.Color(f"{field}:N", title=None, scale=scale, legend=alt.Legend(columns=4))


def share(field: str, title: str) -> alt.Y:
    """Return a vertical axis from 0 to 1."""
    return alt.Y(f"{field}:Q", title=title, scale=alt.Scale(domain=[0, 1]))


def lines(
    rows: Sequence[Row], x: alt.X, y: alt.Y, *, field: str = "network", dash: str = ""
) -> Any:
    """Return lines with their points, one for each value of `field` (and of `dash`)."""
    stroke = alt.Legend(symbolType="stroke")
    dashes = (
        {}
        if not dash
        else {"strokeDash": alt.StrokeDash(f"{dash}:N", title=None, sort=None, legend=stroke)}
    )
    return (
        alt.Chart(alt.InlineData(list(rows)))
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=28))
        .encode(x=x, y=y, color=by_name(rows, field), **dashes)
        .properties(width=WIDTH, height=HEIGHT)
    )


def points(rows: Sequence[Row], x: alt.X, y: alt.Y, *, field: str = "network") -> Any:
    """Return points, coloured by `field`."""
    return (
        alt.Chart(alt.InlineData(list(rows)))
        .mark_point(filled=True, size=60, opacity=0.85)
        .encode(x=x, y=y, color=by_name(rows, field))
        .properties(width=WIDTH, height=HEIGHT)
    )


def depth() -> alt.X:
    """Return an axis of layers, from the input on."""
    return alt.X("layer:O", title="layer, from the input on", axis=alt.Axis(labelAngle=0))


def rank() -> alt.X:
    """Return an axis of ranks."""
    return alt.X("rank:Q", title="rank k (log scale)", scale=alt.Scale(type="log", base=2))


def along() -> alt.X:
    """Return an axis of checkpoints in the order of training."""
    return alt.X("checkpoint:N", title="checkpoint", sort=None, axis=alt.Axis(labelAngle=-40))


def titled(chart: Any, title: str) -> Any:
    """Return a chart under a title."""
    return chart.properties(title=title)


def beside(*charts: Any, columns: int = 2) -> Any:
    """Return charts beside and below each other, each with its own colours."""
    rows = [
        alt.hconcat(*charts[start : start + columns], spacing=28).resolve_scale(
            color="independent", strokeDash="independent"
        )
        for start in range(0, len(charts), columns)
    ]
    return alt.vconcat(*rows, spacing=28).resolve_scale(
        color="independent", strokeDash="independent"
    )
