"""The page of a course of training: the checkpoint to keep, the course, when samples are fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from onnxmem.findings.numbers import percent, percents
from onnxmem.findings.track import checkpoint_names
from onnxmem.report import look, tabled, web
from onnxmem.report.samples.words import class_name
from onnxmem.report.track import charts, picture
from onnxmem.report.track.words import (
    READ_SO,
    TITLES,
    cells,
    findings,
    fitted_from,
    most_suspect,
    sentence,
    share,
)
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import TrackReport

SHOWN = 100
"""Samples in the table."""


def render(report: TrackReport) -> str:
    """Return the page."""
    scripts = [web.runtime(), web.source("page.js")]
    style = web.source("page.css")
    drawn = _charts(report)
    return (
        web.environment()
        .get_template("track.html")
        .render(
            title="Which checkpoint to keep",
            tool=report.tool,
            headline=_headline(report),
            sentence=sentence(report),
            findings=findings(report)[1:],
            cards=_cards(report),
            notes=[printable(note, 400) for note in report.notes],
            titles=TITLES,
            rows=[
                (row, one.path == report.chosen)
                for one, row in zip(report.checkpoints, cells(report), strict=True)
            ],
            layers=_layers(report),
            samples=_samples(report),
            told=report.suspects_from != "margin",
            suspects=sum(one.suspect for one in report.samples),
            charts=drawn,
            read_so=READ_SO,
            facts=_facts(report),
            policy=web.policy(scripts, style),
            scripts=[Markup(script) for script in scripts],
            style=Markup(style),
            drawings=web.embedded(
                {
                    "config": look.config("currentColor"),
                    "models": [{"specs": drawn, "datasets": picture.datasets(report)}],
                    "together": None,
                }
            ),
        )
    )


def fragment(report: TrackReport) -> str:
    """Return what was found, and the checkpoints as a table without scripts, for notebooks."""
    return tabled.fragment(sentence(report), TITLES, cells(report))


def _headline(report: TrackReport) -> str:
    if report.chosen is None:
        return f"A course of {len(report.checkpoints)} checkpoints"
    names = {
        one.path: name
        for one, name in zip(report.checkpoints, checkpoint_names(report), strict=True)
    }
    return f"Keep {names[report.chosen]}"


def _charts(report: TrackReport) -> dict[str, Any]:
    drawn: dict[str, Any] = {"course": charts.course(report), "fitting": charts.fitting(report)}
    if report.layers:
        drawn["layers"] = charts.by_layer(report)
    return {name: web.spec(chart) for name, chart in drawn.items()}


def _cards(report: TrackReport) -> list[tuple[str, str, str]]:
    """Return title, value and interval of the numbers of the choice."""
    choice = report.choice
    if choice is None:
        return []
    own = next(one for one in report.checkpoints if one.path == choice.path)
    found = choice.agreement
    cards = [
        ("Agreement", percent(found.value), percents(found.low, found.high)),
        ("Chosen again", percent(choice.repeated), "of resamples of the inputs"),
        ("Memorized", percent(own.memorized_share.value),
         percents(own.memorized_share.low, own.memorized_share.high)),
    ]  # fmt: skip
    if own.held_out_accuracy is not None and choice.regret is not None:
        lost = f"{100 * choice.regret:.1f} points below the best"
        cards.append(("Held-out accuracy", percent(own.held_out_accuracy), lost))
    if choice.last_regret is not None:
        lost = f"{100 * choice.last_regret:.1f} points below the best"
        last = report.checkpoints[-1].held_out_accuracy
        cards.append(("Held-out accuracy of the last", share(last), lost))
    return cards


def _layers(report: TrackReport) -> list[tuple[str, list[str]]]:
    """Return the name of each checkpoint, and its agreement at every layer."""
    if not report.layers:
        return []
    names = checkpoint_names(report)
    return [
        (name, [share(value) for value in one.agreement])
        for name, one in zip(names, report.checkpoints, strict=True)
    ]


def _samples(report: TrackReport) -> list[dict[str, Any]]:
    names = checkpoint_names(report)
    return [
        {
            "id": printable(one.id, 60) or "(no name)",
            "label": class_name(one.label, report.names),
            "margin": one.margin,
            "fitted_from": fitted_from(one, names),
            "fitted": share(one.fitted),
        }
        for one in most_suspect(report, SHOWN)
    ]


def _facts(report: TrackReport) -> list[tuple[str, list[tuple[str, str]]]]:
    models = {one.path: one.sha256 for one in report.checkpoints}
    sections = (
        ("Checkpoints", models),
        ("Data", msgspec.to_builtins(report.data)),
        ("Settings", report.settings),
        ("Environment", {"tool": f"{report.tool.name} {report.tool.version}"} | report.environment),
    )
    return [(title, list(web.flat(values))) for title, values in sections]
