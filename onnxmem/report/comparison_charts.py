"""The charts that show several models together.

They name their data `models`, `depths` and `matched`, and get the rows of `rows.py`.
"""

from __future__ import annotations

import altair as alt

from onnxmem.report.charts import CHOSEN, KEY, accuracy, horizontal, panels
from onnxmem.report.look import (
    DEPTH_SCHEME,
    MODEL_COLORS,
    ROW_HEIGHT,
    Drawing,
    Spec,
    color,
    offset,
    shape,
    unit,
)
from onnxmem.report.words import BATCHES


def together(names: list[str], batch: str, legend: alt.Legend | None = None) -> Drawing:
    """Mean AuC with its interval of several models, for one kind of batch."""
    y = alt.Y(
        "model:N",
        title=None,
        scale=alt.Scale(domain=names),
        axis=alt.Axis(labelLimit=210, grid=False, ticks=False, domain=False),
    )
    base = alt.Chart(alt.NamedData("models")).transform_filter(alt.datum.batch == BATCHES[batch])
    rule = base.mark_rule(strokeWidth=2, opacity=0.75).encode(
        y=y, yOffset=offset(), x=alt.X("low:Q"), x2="high:Q", color=color(legend)
    )
    points = base.mark_point(filled=True, size=55, opacity=1).encode(
        y=y,
        yOffset=offset(),
        x=unit("auc:Q", "mean AuC: more components needed ← → fewer"),
        color=color(legend),
        shape=shape(legend),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("text:N", title="mean AuC"),
            alt.Tooltip("layers:N"),
        ],
    )
    return alt.layer(rule, points).properties(
        height=2 * ROW_HEIGHT * len(names),
        description=f"Mean AuC of each model on {BATCHES[batch]} batches.",
    )


def by_depth(names: list[str], key: str) -> Drawing:
    """AuC along the depth of several models, of the curves that the page has chosen."""
    chart = _along_depth(names, f"datum.key === {KEY}")
    return chart.add_params(alt.param(name=KEY, value=key)).properties(height=280)


def by_depth_of(names: list[str], key: str) -> Drawing:
    """AuC along the depth of several models, of the curves `key`."""
    return _along_depth(names, f"datum.key === '{key}'").properties(height=180)


def _along_depth(names: list[str], chosen: str) -> Drawing:
    base = alt.Chart(alt.NamedData("depths")).transform_filter(chosen)
    channels: Spec = {
        "x": alt.X(
            "depth:Q",
            title="depth: first layer to last",
            axis=alt.Axis(labels=False, ticks=False, grid=False),
        ),
        "y": alt.Y("auc:Q", title="AuC", scale=alt.Scale(domain=[0, 1])),
        "color": _model_color(names),
    }
    scored = base.transform_filter(alt.datum.state == "scored")
    line = scored.mark_line(strokeWidth=1.5, opacity=0.7, aria=False).encode(**channels)
    dots = base.mark_point(size=45, strokeWidth=1.5).encode(
        **channels,
        fill=alt.Fill("model:N", title=None, scale=_model_scale(names), legend=_model_legend()),
        fillOpacity=alt.condition(alt.datum.state == "scored", alt.value(1), alt.value(0)),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("row:N", title="layer"),
            alt.Tooltip("auc:Q", format=".3f", title="AuC"),
            alt.Tooltip("interval:N", title="95 % interval"),
            alt.Tooltip("state:N"),
        ],
    )
    return alt.layer(line, dots).properties(
        description="AuC of every layer of each model, from the first to the last."
    )


def heat_map(names: list[str], layers: list[str], key: str) -> Drawing:
    """AuC of each layer (down) of each model (across), of the curves that the page has chosen."""
    base = (
        alt.Chart(alt.NamedData("heat"))
        .transform_filter(f"datum.key === {KEY}")
        .encode(
            x=alt.X(
                "model:N",
                title=None,
                scale=alt.Scale(domain=names),
                axis=alt.Axis(orient="top", labelAngle=0, labelLimit=110, ticks=False),
            ),
            y=alt.Y(
                "row:N",
                title=None,
                scale=alt.Scale(domain=layers),
                axis=alt.Axis(labelLimit=210, ticks=False, grid=False),
            ),
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("row:N", title="layer"),
                alt.Tooltip("auc:Q", format=".3f", title="AuC"),
                alt.Tooltip("state:N"),
            ],
        )
    )
    cells = (
        base.transform_filter(alt.datum.state == "scored")
        .mark_rect()
        .encode(
            color=alt.Color(
                "auc:Q",
                scale=alt.Scale(domain=[0, 1], scheme=DEPTH_SCHEME),
                legend=alt.Legend(title="AuC: more components needed ← → fewer", titleLimit=260),
            )
        )
    )
    text = base.mark_text(fontSize=11).encode(
        text="text:N",
        color=alt.Color("ink:N", scale=None),
    )
    drawn: Drawing = (
        alt.layer(cells, text)
        .resolve_scale(color="independent")
        .add_params(alt.param(name=KEY, value=key))
        .properties(
            height=ROW_HEIGHT * max(1, len(layers)),
            description="AuC of each layer of each model. The table of scores holds the same.",
        )
    )
    return drawn


def matched_layer(names: list[str], key: str) -> Drawing:
    """Accuracy against rank of one layer in several models; the page chooses layer and curve."""
    points = (
        alt.Chart(alt.NamedData("matched"))
        .transform_filter(f"datum.layer === {CHOSEN} && datum.key === {KEY}")
        .transform_flatten(["x", "accuracy"])
    )
    tooltip = [
        alt.Tooltip("model:N"),
        alt.Tooltip("x:Q", title="rank"),
        alt.Tooltip("accuracy:Q", format=".3f"),
    ]
    return (
        alt.layer(_model_lines(points, names, "rank").encode(tooltip=tooltip))
        .add_params(alt.param(name=CHOSEN, value=0), alt.param(name=KEY, value=key))
        .properties(height=280, description="Accuracy against rank of one layer of each model.")
    )


def matched_curves(names: list[str], layers: list[str], x_name: str) -> alt.FacetChart:
    """Accuracy curves of several models, one panel for each of the `layers` that correspond."""
    return panels(_model_lines(alt.Chart(), names, x_name), layers, "matched")


def _model_lines(points: alt.Chart, names: list[str], x_name: str) -> alt.Chart:
    line = points.mark_line(strokeWidth=2, clip=True, point=alt.OverlayMarkDef(size=20), aria=False)
    lines: alt.Chart = line.encode(x=horizontal(x_name), y=accuracy(), color=_model_color(names))
    return lines


def _model_color(names: list[str]) -> alt.Color:
    return alt.Color("model:N", title=None, scale=_model_scale(names), legend=_model_legend())


def _model_scale(names: list[str]) -> alt.Scale:
    return alt.Scale(domain=names, range=list(MODEL_COLORS))


def _model_legend() -> alt.Legend:
    return alt.Legend(labelLimit=240, columns=2)
