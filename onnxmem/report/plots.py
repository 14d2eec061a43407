"""The charts as Altair objects, with their data, for notebooks: the same that pages draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from onnxmem.records import (
    Comparison,
    LocateReport,
    Report,
    SamplesReport,
    SurveyReport,
    TrackReport,
)
from onnxmem.report import look, picture, vega
from onnxmem.report.locate import picture as locate_picture
from onnxmem.report.samples.chart import DATASET, agreement, agreement_rows
from onnxmem.report.samples.words import sentence
from onnxmem.report.survey.shown import chart as survey_chart
from onnxmem.report.track import picture as track_picture
from onnxmem.report.words import tensor_name

_ON_PAPER = look.config("#1c2430") | {"background": "white"}


def plot(
    report: Report | Comparison | SamplesReport | LocateReport | TrackReport | SurveyReport,
) -> Any:
    """Return the charts of a report as an Altair object, which has its data with it."""
    if isinstance(report, SurveyReport):
        spec = survey_chart(report).to_dict() | {"config": _ON_PAPER}
        return alt.LayerChart.from_dict(spec, validate=False)
    if isinstance(report, LocateReport):
        return alt.HConcatChart.from_dict(locate_picture.spec(report), validate=False)
    if isinstance(report, TrackReport):
        return alt.VConcatChart.from_dict(track_picture.picture_spec(report), validate=False)
    if isinstance(report, SamplesReport):
        return _of_samples(report)
    if isinstance(report, Report):
        return alt.VConcatChart.from_dict(picture.picture_spec(report), validate=False)
    return alt.VConcatChart.from_dict(picture.comparison_spec(report), validate=False)


def _of_samples(report: SamplesReport) -> Any:
    drawn = agreement(report) or vega.layer(picture.NOTHING)
    spec = drawn.properties(title=sentence(report), width=picture.WIDTH).to_dict()
    spec |= {"datasets": {DATASET: agreement_rows(report)}, "config": _ON_PAPER}
    return alt.LayerChart.from_dict(spec, validate=False)


def sites(title: str, columns: Mapping[str, Sequence[Any]]) -> Any:
    """Return a bar for each site of an inspection: its features, and whether it can be cut.

    Args:
        title: of the chart.
        columns: at least `tensor`, `status` and `features`, in the order of the network.
    """
    names = [f"{n} {tensor_name(one, 40)}" for n, one in enumerate(columns["tensor"], start=1)]
    rows = [
        {"site": name, "features": features or 0, "status": status}
        for name, features, status in zip(
            names, columns.get("features", ()), columns["status"], strict=True
        )
    ]
    return (
        alt.Chart(alt.InlineData(rows or [{}]))
        .mark_bar()
        .encode(
            y=alt.Y("site:N", sort=names, title=None),
            x=alt.X("features:Q", title="features"),
            color=alt.Color(
                "status:N",
                title=None,
                scale=alt.Scale(
                    domain=["ok", "unsupported"], range=[look.COLORS[2], look.COLORS[1]]
                ),
            ),
            tooltip=["site:N", "features:Q", "status:N"],
        )
        .properties(title=title, width=picture.WIDTH, height=alt.Step(look.ROW_HEIGHT))
        .configure(**_ON_PAPER)
    )
