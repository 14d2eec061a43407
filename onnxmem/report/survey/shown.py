"""A survey as Markdown, in a notebook, and as a chart: all models in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnxmem.report import look, tabled, vega
from onnxmem.report import words as common
from onnxmem.report.markdown import escaped
from onnxmem.report.survey import words
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import SurveyReport

WIDTH = 400
_STATES = {"pass": 2, "none": 0, "fail": 1, "inconclusive": 5, "failed": 4, "waiting": 6}
"""The colour of each state, of `look.MODEL_COLORS`."""


def markdown(report: SurveyReport) -> str:
    """Return the models as Markdown, under what was found in one sentence."""
    key = common.leading(words.shown_keys(report))
    rows = ([escaped(cell, 200) for cell in words.cells(one, key)] for one in report.models)
    return tabled.markdown("a survey", words.sentence(report), words.titles(key), rows)


def fragment(report: SurveyReport) -> str:
    """Return the models as a table without scripts."""
    key = common.leading(words.shown_keys(report))
    rows = (words.cells(one, key) for one in report.models)
    return tabled.fragment(words.sentence(report), words.titles(key), rows)


def chart(report: SurveyReport) -> vega.Chart:
    """Return the memorized share of each model with its interval, coloured by its state."""
    names = [f"{n} {printable(one.name, 40)}" for n, one in enumerate(report.models, start=1)]
    rows: list[dict[str, Any]] = [
        {"model": name, "state": words.STATES[one.state], "share": one.memorized_share.value,
         "low": one.memorized_share.low, "high": one.memorized_share.high}
        for name, one in zip(names, report.models, strict=True)
        if one.memorized_share is not None
    ]  # fmt: skip
    scale = vega.scale(
        domain=list(words.STATES.values()),
        range=[look.MODEL_COLORS[_STATES[state]] for state in words.STATES],
    )
    base = vega.Chart.of(vega.inline(rows)).encode(
        y=vega.channel("model:N", title=None, scale=vega.scale(domain=names)),
        color=vega.channel("state:N", title=None, scale=scale),
    )
    title = "memorized share of the training samples"
    points = base.mark("point", filled=True, size=50, opacity=1).encode(
        x=look.unit("share:Q", title, axis=vega.axis(format="%")),
        tooltip=["model:N", "state:N", vega.channel("share:Q", format=".1%")],
    )
    return vega.layer(base.mark("rule").encode(x="low:Q", x2="high:Q"), points).properties(
        title=words.sentence(report),
        width=WIDTH,
        height=max(60, look.ROW_HEIGHT * len(names)),
        description="Memorized share of each model, with 95 % intervals.",
    )
