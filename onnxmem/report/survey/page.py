"""The page of a survey: a table over all models, sortable, with links to their own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from onnxmem.report import web
from onnxmem.report import words as common
from onnxmem.report.survey import words
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import SurveyedModel, SurveyReport

_REASON = 300


def render(report: SurveyReport) -> str:
    """Return the page."""
    script, style = web.source("page.js"), web.source("page.css")
    keys = words.shown_keys(report)
    states = report.states
    return (
        web.environment()
        .get_template("survey.html")
        .render(
            title="Survey of models",
            tool=report.tool,
            sentence=words.sentence(report),
            cards=[
                (label, f"{states[name]:,}") for name, label in words.STATES.items() if states[name]
            ],
            titles=[common.column_title(key, keys) for key in keys],
            rows=[_row(one, keys, report.timings.get(one.name)) for one in report.models],
            gated=any(one.gates for one in report.models),
            read_so=words.READ_SO,
            facts=list(web.flat(report.settings)),
            policy=web.policy([script], style),
            scripts=[Markup(script)],
            style=Markup(style),
            drawings=web.embedded({"config": {}, "models": [], "together": None}),
        )
    )


def _row(one: SurveyedModel, keys: tuple[str, ...], seconds: float | None) -> dict[str, Any]:
    accuracy = one.baseline.value if one.baseline else None
    scores = [one.summary.get(key) for key in keys]
    shares = (one.memorized_share, one.strong_share)
    return {
        "name": printable(one.name),
        "page": words.link(one.page),
        "report": words.link(one.report),
        "path": printable(one.path, 200),
        "state": words.state(one),
        "kind": words.kind(one),
        "reason": printable(one.reason, _REASON),
        "accuracy": ("–", "", None) if accuracy is None else (f"{accuracy:.3f}", "", accuracy),
        "shares": [(*words.share(one), one and one.value) for one in shares],
        "scores": [(*words.score(one), one and one.auc) for one in scores],
        "gates": [words.gate(gate, one.waived) for gate in one.gates],
        "seconds": seconds,
    }
