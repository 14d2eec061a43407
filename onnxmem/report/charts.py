"""The charts: one set of Vega-Altair definitions for the page and for the picture.

Charts name their data (`curves`, `groups`, `bare`, `times`) and get the rows
of `rows.py` under these names.
"""

from __future__ import annotations

from collections.abc import Collection

from onnxmem.records import Report
from onnxmem.report import vega
from onnxmem.report.look import (
    DEPTH_SCHEME,
    ROW_HEIGHT,
    Drawing,
    Spec,
    batch_legend,
    color,
    compressor_legend,
    dash,
    filled,
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
    y = vega.channel(
        "row:N",
        title=None,
        sort=None,
        scale=vega.scale(domain=names),
        axis=vega.axis(labelLimit=210, grid=False, ticks=False, domain=False),
    )
    curves = vega.Chart.of(vega.named("curves")).filtered(vega.equal("batch", BATCHES[batch]))
    layers = [_click_band(curves, y), *_scores(curves, y, compressor_legend(named))]
    if limits := _limits(report, batch):
        layers.append(_threshold(limits))
    if bare_rows(report):
        layers.append(_reasons(y))
    return (
        vega.layer(*layers)
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


def _threshold(limits: list[Spec]) -> vega.Chart:
    """Return a line at each threshold, which the mean over the layers is held against."""
    rule: vega.Chart = (
        vega.Chart.of(vega.inline(limits))
        .mark("rule", color="#c94a4a", strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x=vega.channel("limit:Q"), tooltip=["gate:N", "limit:Q"])
    )
    return rule


def _click_band(curves: vega.Chart, y: Spec) -> vega.Chart:
    """Return a band as wide as the chart, which takes the click and shows the chosen layer."""
    whole_row = vega.options(band=1)
    band: vega.Chart = (
        curves.transform({"aggregate": [], "groupby": ["row", "layer"]})
        .mark("bar", color="#8a94a3", cursor="pointer", height=whole_row)
        .encode(
            y=y,
            x=vega.datum(0),
            x2=vega.datum(1),
            opacity=vega.condition(
                f"datum.layer === {CHOSEN}", vega.value(0.28), vega.value(0.001)
            ),
        )
    )
    return band


def _scores(curves: vega.Chart, y: Spec, legend: Spec | None) -> tuple[vega.Chart, vega.Chart]:
    """Return the intervals of the AuCs, and their points above them."""
    ranges = (
        curves.filtered(vega.equal("state", "scored"))
        .mark("rule", strokeWidth=2, opacity=0.75)
        .encode(y=y, yOffset=offset(), x=vega.channel("low:Q"), x2="high:Q", color=color())
    )
    points = curves.mark("point", size=34, strokeWidth=1.5, cursor="pointer").encode(
        y=y,
        yOffset=offset(),
        x=unit("auc:Q", "AuC: more components needed ← → fewer", axis=vega.axis(grid=True)),
        color=color(),
        shape=shape(legend),
        fill=color(legend),
        fillOpacity=filled(),
        tooltip=_curve_tooltip(),
    )
    return ranges, points


def _reasons(y: Spec) -> vega.Chart:
    """Return what to say of layers without curves, in their rows."""
    notes: vega.Chart = (
        vega.Chart.of(vega.named("bare"))
        .mark(
            "text",
            align="left",
            dx=6,
            fontSize=10.5,
            fontStyle="italic",
            opacity=0.75,
            cursor="pointer",
            limit=vega.options(expr="width - 8"),
        )
        .encode(y=y, x=vega.datum(0), text="note:N")
    )
    return notes


def _curve_tooltip() -> list[Spec]:
    return [
        vega.channel("row:N", title="layer"),
        vega.channel("compressor:N"),
        vega.channel("batch:N"),
        vega.channel("auc:Q", format=".3f", title="AuC"),
        vega.channel("interval:N", title="95 % interval"),
        vega.channel("state:N"),
    ]


def _chosen(report: Report) -> Spec:
    return vega.parameter(CHOSEN, first_choice(report))


def _rank_scale() -> Spec:
    return vega.scale(type="log", base=2, nice=False)


def horizontal(x_name: str) -> Spec:
    """Return the axis of the levels: ranks on a log scale, or the share of units kept."""
    if x_name == "rank":
        return vega.channel(
            "x:Q",
            scale=_rank_scale(),
            title="rank k (log scale)",
            axis=vega.axis(format="d", tickCount=6, labelOverlap=True),
        )
    axis = vega.axis(format="%", tickCount=5)
    return vega.channel(
        "x:Q", title="share of units kept", scale=vega.scale(domain=[0, 1]), axis=axis
    )


def _points(x_name: str, y: str) -> vega.Chart:
    """Return the measured points of the curves, one row for each."""
    return (
        vega.Chart.of(vega.named("curves")).filtered(vega.equal("xName", x_name)).flattened("x", y)
    )


def _lines(points: vega.Chart, x_name: str, y: Spec, named: Collection[str] = ()) -> Drawing:
    """Return lines through the points; a legend says what the curves with keys `named` are of."""
    channels: Spec = {"x": horizontal(x_name), "y": y, "color": color(compressor_legend(named))}
    tooltip = [
        vega.channel("compressor:N"),
        vega.channel("batch:N"),
        vega.channel("x:Q", title=x_name),
        {"field": y["field"], "type": y["type"], "format": ".3f"},
    ]
    line = points.mark("line", strokeWidth=2, clip=True, aria=False).encode(
        **channels, strokeDash=dash(batch_legend(named))
    )
    dots = points.mark("point", filled=True, size=26, opacity=1).encode(**channels, tooltip=tooltip)
    return vega.layer(line, dots)


def accuracy() -> Spec:
    """Return a vertical axis for accuracy, from 0 to 1."""
    return vega.channel("accuracy:Q", title="accuracy", scale=vega.scale(domain=[0, 1]))


def _levels(report: Report) -> Drawing:
    """Return lines at the accuracy of the untouched model and at that of guessing."""
    values = [
        {"level": report.baseline.value, "name": "untouched"},
        {"level": report.baseline.chance, "name": "guessing"},
    ]
    base = vega.Chart.of(vega.inline(values)).encode(y=vega.channel("level:Q"))
    rule = base.mark("rule", color="#8a94a3", strokeDash=[2, 3])
    text = base.mark(
        "text", align="right", baseline="bottom", dy=-2, fontSize=10, opacity=0.75
    ).encode(x=vega.value("width"), text="name:N")
    return vega.layer(rule, text)


def accuracy_curves(report: Report, x_name: str) -> Drawing:
    """Accuracy against rank, or kept share, of the chosen layer; thin lines are its groups."""
    choice = f"datum.layer === {CHOSEN}"
    points = _points(x_name, "accuracy").filtered(choice)
    fields = ["layer", "compressor", "batch", "xName", "x"]
    curves = {"data": vega.named("curves"), "key": "curve", "fields": fields}
    groups = (
        vega.Chart.of(vega.named("groups"))
        .transform({"lookup": "curve", "from": curves})
        .filtered(
            f"{choice} && datum.xName === '{x_name}' && "
            f"datum.compressor + ', ' + datum.batch === {KEY}"
        )
        .flattened("x", "accuracy")
        .mark("line", strokeWidth=1, opacity=0.45, point=vega.overlay(size=10, opacity=0.6))
        .encode(
            x=horizontal(x_name),
            y=accuracy(),
            color=color(),
            detail="label:N",
            tooltip=[
                vega.channel("label:N", title="class or batch"),
                vega.channel("x:Q", title=x_name),
                vega.channel("accuracy:Q", format=".3f"),
                vega.channel("auc:Q", format=".3f", title="AuC"),
            ],
        )
    )
    chart = vega.layer(_levels(report), groups, _lines(points, x_name, accuracy()))
    return chart.add_params(_chosen(report), vega.parameter(KEY, "")).properties(
        height=260,
        description=f"Accuracy against {x_name} of the chosen layer. "
        "Solid: single-class batches; dashed: mixed batches.",
    )


def layer_error(report: Report) -> Drawing:
    """Reconstruction error against rank of the chosen layer."""
    points = _points("rank", "error").filtered(f"datum.layer === {CHOSEN}")
    y = vega.channel("error:Q", title="relative Frobenius error", scale=vega.scale(domainMin=0))
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
    points = _points("rank", "error").filtered(f"datum.compressor + ', ' + datum.batch === {KEY}")
    last = max(2, len(report.layers))
    position = vega.channel(
        "position:Q",
        scale=vega.scale(domain=[1, last], scheme=DEPTH_SCHEME, reverse=True),
        legend=vega.legend(
            tickCount=min(5, last - 1),
            format="d",
            gradientLength=160,
            title="position of the layer, first to last",
            titleLimit=260,
        ),
    )
    lines = (
        points.transform({"calculate": "datum.layer + 1", "as": "position"})
        .mark("line", point=vega.overlay(size=6, strokeWidth=2, filled=False))
        .encode(
            x=horizontal("rank"),
            y=vega.channel(
                "error:Q",
                title="relative Frobenius error",
                scale=vega.scale(domainMin=0),
            ),
            color=position,
            detail="layer:N",
            strokeWidth=vega.condition(f"datum.layer === {CHOSEN}", vega.value(4), vega.value(1.2)),
            tooltip=[
                vega.channel("row:N", title="layer"),
                vega.channel("x:Q", title="rank"),
                vega.channel("error:Q", format=".3f"),
            ],
        )
    )
    return (
        vega.layer(lines)
        .add_params(_chosen(report), vega.parameter(KEY, _first_rank_key(report)))
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
    base = vega.Chart.of(vega.named("times")).encode(
        y=vega.channel(
            "stage:N",
            title=None,
            scale=vega.scale(domain=stages),
            axis=vega.axis(ticks=False, domain=False),
        ),
        x=vega.channel(
            "seconds:Q",
            title="seconds",
            axis=vega.axis(tickCount=5),
            scale=vega.scale(domain=[0, 1.15 * longest or 1]),
        ),
    )
    bars = base.mark("bar", color="#6b7a8f", height=12)
    text = base.mark("text", align="left", dx=4, fontSize=10.5).encode(
        text=vega.channel("seconds:Q", format=",.2f")
    )
    return vega.layer(bars, text).properties(
        height=ROW_HEIGHT * len(stages),
        description="Seconds that each stage of the audit took.",
    )


def small_multiples(report: Report, names: list[str], x_name: str) -> vega.Chart:
    """Accuracy curves of the layers `names`, one small panel for each: for pictures on paper."""
    lines = _lines(vega.Chart.of(), x_name, accuracy(), _keys_over(report, x_name))
    drawn = panels(lines, names, "curves")
    return drawn.filtered(vega.equal("xName", x_name))


def panels(panel: vega.Chart | Drawing, names: list[str], data: str) -> vega.Chart:
    """Repeat a small chart of accuracy for each row in `names`, four side by side."""
    return (
        panel.properties(width=190, height=120)
        .facet(
            vega.channel("row:N", title=None, sort=names, header=vega.header(labelLimit=190)),
            columns=4,
            data=vega.named(data),
        )
        .filtered({"field": "row", "oneOf": names})
        .flattened("x", "accuracy")
    )
