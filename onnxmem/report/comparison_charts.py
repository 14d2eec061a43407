"""The charts that show several models together.

They name their data `models`, `depths` and `matched`, and get the rows of `rows.py`.
"""

from __future__ import annotations

from onnxmem.report import vega
from onnxmem.report.charts import CHOSEN, KEY, accuracy, horizontal, panels
from onnxmem.report.look import (
    DEPTH_SCHEME,
    MODEL_COLORS,
    ROW_HEIGHT,
    Drawing,
    Spec,
    color,
    filled,
    offset,
    shape,
    unit,
)
from onnxmem.report.words import BATCHES


def together(names: list[str], batch: str, legend: Spec | None = None) -> Drawing:
    """Mean AuC with its interval of several models, for one kind of batch."""
    y = vega.channel(
        "model:N",
        title=None,
        scale=vega.scale(domain=names),
        axis=vega.axis(labelLimit=210, grid=False, ticks=False, domain=False),
    )
    base = vega.Chart.of(vega.named("models")).filtered(vega.equal("batch", BATCHES[batch]))
    rule = base.mark("rule", strokeWidth=2, opacity=0.75).encode(
        y=y, yOffset=offset(), x=vega.channel("low:Q"), x2="high:Q", color=color(legend)
    )
    points = base.mark("point", filled=True, size=55, opacity=1).encode(
        y=y,
        yOffset=offset(),
        x=unit("auc:Q", "mean AuC: more components needed ← → fewer"),
        color=color(legend),
        shape=shape(legend),
        tooltip=[
            vega.channel("model:N"),
            vega.channel("text:N", title="mean AuC"),
            vega.channel("layers:N"),
        ],
    )
    return vega.layer(rule, points).properties(
        height=2 * ROW_HEIGHT * len(names),
        description=f"Mean AuC of each model on {BATCHES[batch]} batches.",
    )


def by_depth(names: list[str], key: str) -> Drawing:
    """AuC along the depth of several models, of the curves that the page has chosen."""
    chart = _along_depth(names, f"datum.key === {KEY}")
    return chart.add_params(vega.parameter(KEY, key)).properties(height=280)


def by_depth_of(names: list[str], key: str) -> Drawing:
    """AuC along the depth of several models, of the curves `key`."""
    return _along_depth(names, f"datum.key === '{key}'").properties(height=180)


def _along_depth(names: list[str], chosen: str) -> Drawing:
    base = vega.Chart.of(vega.named("depths")).filtered(chosen)
    channels: Spec = {
        "x": vega.channel(
            "depth:Q",
            title="depth: first layer to last",
            axis=vega.axis(labels=False, ticks=False, grid=False),
        ),
        "y": vega.channel("auc:Q", title="AuC", scale=vega.scale(domain=[0, 1])),
        "color": _model_color(names),
    }
    scored = base.filtered(vega.equal("state", "scored"))
    line = scored.mark("line", strokeWidth=1.5, opacity=0.7, aria=False).encode(**channels)
    dots = base.mark("point", size=45, strokeWidth=1.5).encode(
        **channels,
        fill=vega.channel("model:N", title=None, scale=_model_scale(names), legend=_model_legend()),
        fillOpacity=filled(),
        tooltip=[
            vega.channel("model:N"),
            vega.channel("row:N", title="layer"),
            vega.channel("auc:Q", format=".3f", title="AuC"),
            vega.channel("interval:N", title="95 % interval"),
            vega.channel("state:N"),
        ],
    )
    return vega.layer(line, dots).properties(
        description="AuC of every layer of each model, from the first to the last."
    )


def heat_map(names: list[str], layers: list[str], key: str) -> Drawing:
    """AuC of each layer (down) of each model (across), of the curves that the page has chosen."""
    base = (
        vega.Chart.of(vega.named("heat"))
        .filtered(f"datum.key === {KEY}")
        .encode(
            x=vega.channel(
                "model:N",
                title=None,
                scale=vega.scale(domain=names),
                axis=vega.axis(orient="top", labelAngle=0, labelLimit=110, ticks=False),
            ),
            y=vega.channel(
                "row:N",
                title=None,
                scale=vega.scale(domain=layers),
                axis=vega.axis(labelLimit=210, ticks=False, grid=False),
            ),
            tooltip=[
                vega.channel("model:N"),
                vega.channel("row:N", title="layer"),
                vega.channel("auc:Q", format=".3f", title="AuC"),
                vega.channel("state:N"),
            ],
        )
    )
    cells = (
        base.filtered(vega.equal("state", "scored"))
        .mark("rect")
        .encode(
            color=vega.channel(
                "auc:Q",
                scale=vega.scale(domain=[0, 1], scheme=DEPTH_SCHEME),
                legend=vega.legend(title="AuC: more components needed ← → fewer", titleLimit=260),
            )
        )
    )
    text = base.mark("text", fontSize=11).encode(
        text="text:N",
        color=vega.channel("ink:N", scale=None),
    )
    drawn: Drawing = (
        vega.layer(cells, text)
        .independent("color")
        .add_params(vega.parameter(KEY, key))
        .properties(
            height=ROW_HEIGHT * max(1, len(layers)),
            description="AuC of each layer of each model. The table of scores holds the same.",
        )
    )
    return drawn


def matched_layer(names: list[str], key: str) -> Drawing:
    """Accuracy against rank of one layer in several models; the page chooses layer and curve."""
    points = (
        vega.Chart.of(vega.named("matched"))
        .filtered(f"datum.layer === {CHOSEN} && datum.key === {KEY}")
        .flattened("x", "accuracy")
    )
    tooltip = [
        vega.channel("model:N"),
        vega.channel("x:Q", title="rank"),
        vega.channel("accuracy:Q", format=".3f"),
    ]
    return (
        vega.layer(_model_lines(points, names, "rank").encode(tooltip=tooltip))
        .add_params(vega.parameter(CHOSEN, 0), vega.parameter(KEY, key))
        .properties(height=280, description="Accuracy against rank of one layer of each model.")
    )


def matched_curves(names: list[str], layers: list[str], x_name: str) -> vega.Chart:
    """Accuracy curves of several models, one panel for each of the `layers` that correspond."""
    return panels(_model_lines(vega.Chart.of(), names, x_name), layers, "matched")


def _model_lines(points: vega.Chart, names: list[str], x_name: str) -> vega.Chart:
    line = points.mark("line", strokeWidth=2, clip=True, point=vega.overlay(size=20), aria=False)
    lines: vega.Chart = line.encode(x=horizontal(x_name), y=accuracy(), color=_model_color(names))
    return lines


def _model_color(names: list[str]) -> Spec:
    return vega.channel("model:N", title=None, scale=_model_scale(names), legend=_model_legend())


def _model_scale(names: list[str]) -> Spec:
    return vega.scale(domain=names, range=list(MODEL_COLORS))


def _model_legend() -> Spec:
    return vega.legend(labelLimit=240, columns=2)
