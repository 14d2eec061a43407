"""The charts: one set of Vega-Altair definitions for the page and for the picture.

Charts name their data (`curves`, `groups`, `bare`, `times`) and get the rows
of `rows.py` under these names.
"""

from __future__ import annotations

from collections.abc import Collection

import altair as alt

from onnxmem.records import Report
from onnxmem.report.look import (
    DEPTH_SCHEME,
    ROW_HEIGHT,
    Drawing,
    Spec,
    batch_legend,
    color,
    compressor_legend,
    dash,
    offset,
    shape,
    unit,
)
from onnxmem.report.rows import bare_rows, first_choice, row_names, time_rows
from onnxmem.report.words import BATCHES, COMPRESSORS, curve_keys, key_title
from onnxmem.text import printable

CHOSEN = "chosen"
KEY = "key"


def overview(report: Report, batch: str, *, legend: bool = False) -> Drawing:
    """AuC with its interval of every layer, for one kind of batch; hollow if it tells nothing."""
    named = curve_keys(report) if legend else ()
    names = row_names(report)
    y = alt.Y(
        "row:N",
        title=None,
        sort=None,
        scale=alt.Scale(domain=names),
        axis=alt.Axis(labelLimit=210, grid=False, ticks=False, domain=False),
    )
    curves = alt.Chart(alt.NamedData("curves")).transform_filter(alt.datum.batch == BATCHES[batch])
    layers = [_click_band(curves, y), *_scores(curves, y, compressor_legend(named))]
    if limits := _limits(report, batch):
        layers.append(_threshold(limits))
    if bare_rows(report):
        layers.append(_reasons(y))
    return (
        alt.layer(*layers)
        .add_params(_chosen(report))
        .properties(
            height=ROW_HEIGHT * len(names),
            description=f"AuC with 95 % interval of every layer on {BATCHES[batch]} batches, for "
            "NMF, PCA and ablation. Hollow marks are saturated, or above the baseline. The table "
            "of layers holds the same numbers.",
        )
    )


def _limits(report: Report, batch: str) -> list[Spec]:
    """Return the thresholds of gates on mean AuCs of one kind of batch, with what they are of."""
    return [
        {"limit": gate.threshold, "gate": f"gate {printable(gate.key, 40)}"}
        for gate in report.gates
        if gate.key.endswith(f".{batch}")
    ]


def _threshold(limits: list[Spec]) -> alt.Chart:
    """Return a line at each threshold, which the mean over the layers is held against."""
    rule: alt.Chart = (
        alt.Chart(alt.InlineData(limits))
        .mark_rule(color="#c94a4a", strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x=alt.X("limit:Q"), tooltip=[alt.Tooltip("gate:N"), alt.Tooltip("limit:Q")])
    )
    return rule


def _click_band(curves: alt.Chart, y: alt.Y) -> alt.Chart:
    """Return a band as wide as the chart, which takes the click and shows the chosen layer."""
    whole_row = alt.RelativeBandSize(band=1)
    band: alt.Chart = (
        curves.transform_aggregate(groupby=["row", "layer"])
        .mark_bar(color="#8a94a3", cursor="pointer", height=whole_row)
        .encode(
            y=y,
            x=alt.XDatum(0),
            x2=alt.X2Datum(1),
            opacity=alt.condition(f"datum.layer === {CHOSEN}", alt.value(0.28), alt.value(0.001)),
        )
    )
    return band


def _scores(curves: alt.Chart, y: alt.Y, legend: alt.Legend | None) -> tuple[alt.Chart, alt.Chart]:
    """Return the intervals of the AuCs, and their points above them."""
    ranges = (
        curves.transform_filter(alt.datum.state == "scored")
        .mark_rule(strokeWidth=2, opacity=0.75)
        .encode(y=y, yOffset=offset(), x=alt.X("low:Q"), x2="high:Q", color=color())
    )
    points = curves.mark_point(size=34, strokeWidth=1.5, cursor="pointer").encode(
        y=y,
        yOffset=offset(),
        x=unit("auc:Q", "AuC: more components needed ← → fewer", axis=alt.Axis(grid=True)),
        color=color(),
        shape=shape(legend),
        fill=color(legend),
        fillOpacity=alt.condition(alt.datum.state == "scored", alt.value(1), alt.value(0)),
        tooltip=_curve_tooltip(),
    )
    return ranges, points


def _reasons(y: alt.Y) -> alt.Chart:
    """Return what to say of layers without curves, in their rows."""
    notes: alt.Chart = (
        alt.Chart(alt.NamedData("bare"))
        .mark_text(
            align="left",
            dx=6,
            fontSize=10.5,
            fontStyle="italic",
            opacity=0.75,
            cursor="pointer",
            limit=alt.ExprRef("width - 8"),
        )
        .encode(y=y, x=alt.XDatum(0), text="note:N")
    )
    return notes


def _curve_tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("row:N", title="layer"),
        alt.Tooltip("compressor:N"),
        alt.Tooltip("batch:N"),
        alt.Tooltip("auc:Q", format=".3f", title="AuC"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("state:N"),
    ]


def _chosen(report: Report) -> alt.Parameter:
    return alt.param(name=CHOSEN, value=first_choice(report))


def _rank_scale() -> alt.Scale:
    return alt.Scale(type="log", base=2, nice=False)


def horizontal(x_name: str) -> alt.X:
    """Return the axis of the levels: ranks on a log scale, or the share of units kept."""
    if x_name == "rank":
        return alt.X(
            "x:Q",
            scale=_rank_scale(),
            title="rank k (log scale)",
            axis=alt.Axis(format="d", tickCount=6, labelOverlap=True),
        )
    axis = alt.Axis(format="%", tickCount=5)
    return alt.X("x:Q", title="share of units kept", scale=alt.Scale(domain=[0, 1]), axis=axis)


def _points(x_name: str, y: str) -> alt.Chart:
    """Return the measured points of the curves, one row for each."""
    return (
        alt.Chart(alt.NamedData("curves"))
        .transform_filter(alt.datum.xName == x_name)
        .transform_flatten(["x", y])
    )


def _lines(points: alt.Chart, x_name: str, y: alt.Y, named: Collection[str] = ()) -> Drawing:
    """Return lines through the points; a legend says what the curves with keys `named` are of."""
    channels: Spec = {"x": horizontal(x_name), "y": y, "color": color(compressor_legend(named))}
    tooltip = [
        alt.Tooltip("compressor:N"),
        alt.Tooltip("batch:N"),
        alt.Tooltip("x:Q", title=x_name),
        alt.Tooltip(f"{y.shorthand}", format=".3f"),
    ]
    line = points.mark_line(strokeWidth=2, clip=True, aria=False).encode(
        **channels, strokeDash=dash(batch_legend(named))
    )
    dots = points.mark_point(filled=True, size=26, opacity=1).encode(**channels, tooltip=tooltip)
    return alt.layer(line, dots)


def accuracy() -> alt.Y:
    """Return a vertical axis for accuracy, from 0 to 1."""
    return alt.Y("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]))


def _levels(report: Report) -> Drawing:
    """Return lines at the accuracy of the untouched model and at that of guessing."""
    values = [
        {"level": report.baseline.value, "name": "untouched"},
        {"level": report.baseline.chance, "name": "guessing"},
    ]
    base = alt.Chart(alt.InlineData(values)).encode(y=alt.Y("level:Q"))
    rule = base.mark_rule(color="#8a94a3", strokeDash=[2, 3])
    text = base.mark_text(
        align="right", baseline="bottom", dy=-2, fontSize=10, opacity=0.75
    ).encode(x=alt.value("width"), text="name:N")
    return alt.layer(rule, text)


def accuracy_curves(report: Report, x_name: str) -> Drawing:
    """Accuracy against rank, or kept share, of the chosen layer; thin lines are its groups."""
    choice = f"datum.layer === {CHOSEN}"
    points = _points(x_name, "accuracy").transform_filter(choice)
    fields = ["layer", "compressor", "batch", "xName", "x"]
    groups = (
        alt.Chart(alt.NamedData("groups"))
        .transform_lookup("curve", alt.LookupData(alt.NamedData("curves"), "curve", fields))
        .transform_filter(
            f"{choice} && datum.xName === '{x_name}' && "
            f"datum.compressor + ', ' + datum.batch === {KEY}"
        )
        .transform_flatten(["x", "accuracy"])
        .mark_line(strokeWidth=1, opacity=0.45, point=alt.OverlayMarkDef(size=10, opacity=0.6))
        .encode(
            x=horizontal(x_name),
            y=accuracy(),
            color=color(),
            detail="label:N",
            tooltip=[
                alt.Tooltip("label:N", title="class or batch"),
                alt.Tooltip("x:Q", title=x_name),
                alt.Tooltip("accuracy:Q", format=".3f"),
                alt.Tooltip("auc:Q", format=".3f", title="AuC"),
            ],
        )
    )
    chart = alt.layer(_levels(report), groups, _lines(points, x_name, accuracy()))
    return chart.add_params(_chosen(report), alt.param(name=KEY, value="")).properties(
        height=260,
        description=f"Accuracy against {x_name} of the chosen layer. "
        "Solid: single-class batches; dashed: mixed batches.",
    )


def layer_error(report: Report) -> Drawing:
    """Reconstruction error against rank of the chosen layer."""
    points = _points("rank", "error").transform_filter(f"datum.layer === {CHOSEN}")
    y = alt.Y("error:Q", title="relative Frobenius error", scale=alt.Scale(domainMin=0))
    return (
        _lines(points, "rank", y)
        .add_params(_chosen(report))
        .properties(
            height=260,
            description="Relative reconstruction error against rank of the chosen layer.",
        )
    )


def all_errors(report: Report) -> Drawing:
    """Reconstruction error against rank of every layer; colour is depth, the chosen one bold."""
    points = _points("rank", "error").transform_filter(
        f"datum.compressor + ', ' + datum.batch === {KEY}"
    )
    last = max(2, len(report.layers))
    position = alt.Color(
        "position:Q",
        scale=alt.Scale(domain=[1, last], scheme=DEPTH_SCHEME, reverse=True),
        legend=alt.Legend(
            tickCount=min(5, last - 1),
            format="d",
            gradientLength=160,
            title="position of the layer, first to last",
            titleLimit=260,
        ),
    )
    lines = (
        points.transform_calculate(position="datum.layer + 1")
        .mark_line(point=alt.OverlayMarkDef(size=6, strokeWidth=2, filled=False))
        .encode(
            x=horizontal("rank"),
            y=alt.Y(
                "error:Q",
                title="relative Frobenius error",
                scale=alt.Scale(domainMin=0),
            ),
            color=position,
            detail="layer:N",
            strokeWidth=alt.condition(f"datum.layer === {CHOSEN}", alt.value(4), alt.value(1.2)),
            tooltip=[
                alt.Tooltip("row:N", title="layer"),
                alt.Tooltip("x:Q", title="rank"),
                alt.Tooltip("error:Q", format=".3f"),
            ],
        )
    )
    return (
        alt.layer(lines)
        .add_params(_chosen(report), alt.param(name=KEY, value=_first_rank_key(report)))
        .properties(
            height=300,
            description="Relative reconstruction error against rank, a line for each layer.",
        )
    )


def rank_keys(report: Report) -> list[str]:
    """Return the curves over rank that the report holds, named as the charts name them."""
    found = _keys_over(report, "rank")
    order = [f"{compressor}.{batch}" for compressor in COMPRESSORS for batch in ("mixed", "class")]
    return [key_title(key) for key in order if key in found]


def _keys_over(report: Report, x_name: str) -> set[str]:
    return {one.key for layer in report.layers for one in layer.curves if one.x_name == x_name}


def _first_rank_key(report: Report) -> str:
    return next(iter(rank_keys(report)), "")


def times(report: Report) -> Drawing:
    """Seconds that each stage took."""
    stages = [row["stage"] for row in time_rows(report)]
    longest = max(report.seconds.values(), default=0.0)
    base = alt.Chart(alt.NamedData("times")).encode(
        y=alt.Y(
            "stage:N",
            title=None,
            scale=alt.Scale(domain=stages),
            axis=alt.Axis(ticks=False, domain=False),
        ),
        x=alt.X(
            "seconds:Q",
            title="seconds",
            axis=alt.Axis(tickCount=5),
            scale=alt.Scale(domain=[0, 1.15 * longest or 1]),
        ),
    )
    bars = base.mark_bar(color="#6b7a8f", height=12)
    text = base.mark_text(align="left", dx=4, fontSize=10.5).encode(
        text=alt.Text("seconds:Q", format=",.2f")
    )
    return alt.layer(bars, text).properties(
        height=ROW_HEIGHT * len(stages),
        description="Seconds that each stage of the audit took.",
    )


def small_multiples(report: Report, names: list[str], x_name: str) -> alt.FacetChart:
    """Accuracy curves of the layers `names`, one small panel for each: for pictures on paper."""
    lines = _lines(alt.Chart(), x_name, accuracy(), _keys_over(report, x_name))
    drawn = panels(lines, names, "curves")
    return drawn.transform_filter(alt.datum.xName == x_name)


def panels(panel: alt.Chart | Drawing, names: list[str], data: str) -> alt.FacetChart:
    """Repeat a small chart of accuracy for each row in `names`, four side by side."""
    return (
        panel.properties(width=190, height=120)
        .facet(
            alt.Facet("row:N", title=None, sort=names, header=alt.Header(labelLimit=190)),
            columns=4,
            data=alt.NamedData(data),
        )
        .transform_filter(alt.FieldOneOfPredicate("row", names))
        .transform_flatten(["x", "accuracy"])
    )
