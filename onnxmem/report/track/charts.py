"""The charts of a course of training, and the rows that they draw.

They name their data `course`, `fitting` and `layers`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onnxmem.findings.track import checkpoint_names
from onnxmem.report import look, vega
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import TrackReport

Row = dict[str, Any]

_COURSE = {
    "agreement_mean": "agreement with neighbours",
    "held_out_accuracy": "held-out accuracy",
    "train_accuracy": "training accuracy",
    "memorized_share": "memorized share",
}
_FITTING = {"others_fitted": "other samples", "suspects_fitted": "suspects"}
MOST_LABELS = 24
"""Checkpoints whose names stand along an axis."""


def course_rows(report: TrackReport) -> list[Row]:
    """Return a row for each checkpoint and each number of it."""
    return _rows(report, _COURSE)


def fitting_rows(report: TrackReport) -> list[Row]:
    """Return a row for each checkpoint and each group of samples."""
    return _rows(report, _FITTING)


def _rows(report: TrackReport, fields: dict[str, str]) -> list[Row]:
    found = []
    for place, (one, name) in enumerate(
        zip(report.checkpoints, checkpoint_names(report), strict=True)
    ):
        for field, title in fields.items():
            value, low, high = getattr(one, field), None, None
            if field == "memorized_share":
                value, low, high = value.value, value.low, value.high
            elif field == "agreement_mean":
                low, high = one.agreement_low, one.agreement_high
            if value is not None:
                found.append(
                    {"place": place, "name": name, "what": title, "value": value, "low": low,
                     "high": high, "kept": one.path == report.chosen}
                )  # fmt: skip
    return found


def layer_rows(report: TrackReport) -> list[Row]:
    """Return a row for each checkpoint and each layer that agrees with neighbours or does not."""
    names = checkpoint_names(report)
    return [
        {"place": place, "name": names[place], "layer": f"{number + 1} {printable(tensor, 40)}",
         "value": value}
        for place, one in enumerate(report.checkpoints)
        for number, (tensor, value) in enumerate(zip(report.layers, one.agreement, strict=True))
        if value is not None
    ]  # fmt: skip


def course(report: TrackReport) -> look.Drawing:
    """Draw all numbers of the checkpoints along the course, the one to keep marked."""
    names = [title for title in _COURSE.values() if title in _titles(course_rows(report))]
    base = vega.Chart.of(vega.named("course")).encode(x=_along(report))
    band = base.mark("area", opacity=0.15, aria=False).encode(
        y=vega.channel("low:Q"), y2="high:Q", color=_color(names)
    )
    lines = _lines(base, names)
    kept = (
        base.filtered("datum.kept && datum.what == 'agreement with neighbours'")
        .mark("point", shape="diamond", size=220, strokeWidth=2.5, filled=False)
        .encode(y="value:Q", color=_color(names), tooltip=_tooltip())
    )
    return vega.layer(band, lines, kept).properties(
        height=260,
        description="Agreement with neighbours, held-out and training accuracy and memorized share "
        "of each checkpoint; a diamond marks the one to keep. The table holds the same numbers.",
    )


def fitting(report: TrackReport) -> look.Drawing:
    """Draw which share of the suspects, and of all other samples, each checkpoint fits."""
    names = list(_FITTING.values())
    base = vega.Chart.of(vega.named("fitting")).encode(x=_along(report))
    return vega.layer(_lines(base, names)).properties(
        height=260,
        description="Share of the suspects, and of all other samples, that each checkpoint gives "
        "the label that they came with. The table holds the same numbers.",
    )


def by_layer(report: TrackReport) -> look.Drawing:
    """Draw the agreement at each layer and checkpoint as a map."""
    order = list(dict.fromkeys(row["layer"] for row in layer_rows(report)))
    drawn = (
        vega.Chart.of(vega.named("layers"))
        .mark("rect")
        .encode(
            x=_along(report),
            y=vega.channel("layer:N", sort=order, title=None, axis=vega.axis(labelLimit=160)),
            color=vega.channel(
                "value:Q",
                title="agreement",
                scale=vega.scale(scheme="viridis"),
                legend=vega.legend(format="%"),
            ),
            tooltip=[
                vega.channel("name:N", title="checkpoint"),
                vega.channel("layer:N"),
                vega.channel("value:Q", format=".1%", title="agreement"),
            ],
        )
    )
    return vega.layer(drawn).properties(
        height=max(60, 22 * len(order)),
        description="Agreement with neighbours of each checkpoint at each layer.",
    )


def _titles(rows: list[Row]) -> set[str]:
    return {row["what"] for row in rows}


def _along(report: TrackReport) -> vega.Spec:
    names = list(checkpoint_names(report))
    every = -(-len(names) // MOST_LABELS)
    shown = [place for place in range(len(names)) if place % every == 0]
    return vega.channel(
        "place:O",
        title="checkpoint, in the order of training",
        axis=vega.axis(
            values=shown,
            labelExpr=f"{_listed(names)}[datum.value]",
            labelAngle=-40,
            labelLimit=110,
        ),
    )


def _listed(names: list[str]) -> str:
    """Return names as a list of Vega's expressions, which has the strings of JSON."""
    return json.dumps(names)


def _lines(base: vega.Chart, names: list[str]) -> vega.Chart:
    drawn: vega.Chart = base.mark(
        "line", strokeWidth=2, point=vega.overlay(size=30), aria=False
    ).encode(
        y=vega.channel(
            "value:Q",
            title="share",
            scale=vega.scale(domain=[0, 1]),
            axis=vega.axis(format="%"),
        ),
        color=_color(names),
        tooltip=_tooltip(),
    )
    return drawn


def _color(names: list[str]) -> vega.Spec:
    scale = vega.scale(domain=names, range=list(look.MODEL_COLORS))
    return vega.channel(
        "what:N",
        title=None,
        scale=scale,
        legend=vega.legend(labelLimit=240, symbolOpacity=1, columns=2),
    )


def _tooltip() -> list[vega.Spec]:
    return [
        vega.channel("name:N", title="checkpoint"),
        vega.channel("what:N", title="what"),
        vega.channel("value:Q", format=".1%"),
    ]
