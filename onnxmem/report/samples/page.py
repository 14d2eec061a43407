"""The page of samples: those that stand out with their neighbours, and where labels settle."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from onnxmem.findings import headline
from onnxmem.findings.numbers import percent, percents
from onnxmem.report import look, web
from onnxmem.report.samples.chart import AGREEMENTS, DATASET, agreement, agreement_rows
from onnxmem.report.samples.words import (
    HEADLINE,
    READ_SO,
    cautions,
    class_name,
    findings,
    layer_name,
    sentence,
    share,
)
from onnxmem.text import capitalized, file_name, printable

if TYPE_CHECKING:
    from onnxmem.records import SampleEvidence, SamplesReport

SHOWN = 200
_CURVE = re.compile(r"M[0-9.]+ [0-9.]+(L[0-9.]+ [0-9.]+)*")
_IMAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")


def render(report: SamplesReport) -> str:
    """Return the page."""
    scripts = [web.runtime(), web.source("page.js"), web.source("samples.js")]
    style = web.source("page.css") + web.source("samples.css")
    drawn, shown = agreement(report), standing_out(report)
    chart = None if drawn is None else web.spec(drawn)
    return (
        web.environment()
        .get_template("samples.html")
        .render(
            title=f"{file_name(report.model.path)}: which samples are memorized",
            tool=report.tool,
            name=file_name(report.model.path),
            headline=capitalized(headline(report)),
            cautions=cautions(report),
            findings=findings(report)[HEADLINE:],
            cards=_cards(report),
            samples=[_sample(report, one) for one in shown[:SHOWN]],
            pictures=_pictures(report, shown[:SHOWN]),
            total=len(shown),
            states=("memorized", "not fitted"),
            layers=_layers(report),
            chart=chart,
            read_so=READ_SO,
            notes=[printable(note, 400) for note in report.notes],
            facts=_facts(report),
            policy=web.policy(scripts, style),
            scripts=[Markup(script) for script in scripts],
            style=Markup(style),
            drawings=web.embedded(_drawings(report, chart)),
        )
    )


def fragment(report: SamplesReport, most: int = 10) -> str:
    """Return what was found and the most memorized samples without scripts, for notebooks."""
    shown = [one for one in standing_out(report) if one.memorized][:most]
    return (
        web.environment()
        .get_template("samples_fragment.html")
        .render(
            sentence=sentence(report),
            findings=findings(report),
            samples=[_sample(report, one) for one in shown],
            pictures=_pictures(report, shown),
        )
    )


def standing_out(report: SamplesReport) -> list[SampleEvidence]:
    """Return the samples whose neighbours have another label, the memorized ones first."""
    chosen = [one for one in report.samples if one.margin > 0]
    return sorted(chosen, key=lambda one: (not one.memorized, -one.margin, one.row))


def _cards(report: SamplesReport) -> list[tuple[str, str, str]]:
    """Return title, value and interval of the numbers of the network."""
    network = report.network
    if network is None:
        return []
    noise = network.label_noise
    states = {True: "found", False: "not found", None: "undecided"}
    about = ""
    if noise.found and noise.estimate is not None and noise.low is not None:
        about = f"about {percent(noise.estimate)}, {percents(noise.low, noise.high or 0.0)}"
    cards = [
        ("Memorized", percent(network.memorized_share.value), _bounds(network.memorized_share)),
        ("Strongly memorized", percent(network.strong_share.value), _bounds(network.strong_share)),
        ("Label noise", states[noise.found], about),
        ("Fitted", percent(network.fitted), f"of {network.samples:,} training samples"),
    ]
    if (held := network.held_out_disagreement) is not None:
        cards.append(("Held-out, against neighbours", percent(held.value), _bounds(held)))
    return cards


def _bounds(estimate: Any) -> str:
    return percents(estimate.low, estimate.high)


def _sample(report: SamplesReport, one: SampleEvidence) -> dict[str, Any]:
    """Return what a row of the table shows."""
    labels = {sample.row: sample for sample in report.samples}
    near = [labels[row] for row in one.neighbours if row in labels]
    return {
        "id": printable(one.id, 60) or "(no name)",
        "row": one.row,
        "label": class_name(one.label, report.names),
        "says": class_name(one.neighbours_say, report.names),
        "prediction": class_name(one.prediction, report.names),
        "margin": one.margin,
        "depth": one.depth,
        "state": "memorized" if one.memorized else "not fitted",
        "strong": one.strong,
        "picture": _picture_name(one.row),
        "near": [
            {
                "id": printable(other.id, 40) or "(no name)",
                "label": class_name(other.label, report.names),
                "picture": _picture_name(other.row),
            }
            for other in near
        ],
    }


def _picture_name(row: int) -> str:
    return f"picture-{row}"


def _pictures(report: SamplesReport, shown: Iterable[SampleEvidence]) -> dict[str, dict[str, str]]:
    """Return the pictures of samples and of their neighbours by name, each by its kind."""
    rows = dict.fromkeys(row for one in shown for row in (one.row, *one.neighbours))
    found = {}
    for row in rows:
        content = report.pictures.get(str(row), "")
        if _IMAGE.fullmatch(content):
            found[_picture_name(row)] = {"kind": "image", "content": content}
        elif _CURVE.fullmatch(content):
            found[_picture_name(row)] = {"kind": "curve", "content": content}
    return found


def _layers(report: SamplesReport) -> list[dict[str, str]]:
    return [
        {
            "name": layer_name(one.tensor),
            "reason": printable(one.reason, 200),
            **{title: share(getattr(one, field)) for field, title in AGREEMENTS.items()},
        }
        for one in report.layers
    ]


def _drawings(report: SamplesReport, chart: dict[str, Any] | None) -> dict[str, Any]:
    specs = {} if chart is None else {"agreement": chart}
    group = {"specs": specs, "datasets": {DATASET: agreement_rows(report)}}
    return {"config": look.config("currentColor"), "models": [group], "together": None}


def _facts(report: SamplesReport) -> list[tuple[str, list[tuple[str, str]]]]:
    sections = (
        ("Model", msgspec.to_builtins(report.model)),
        ("Data", msgspec.to_builtins(report.data)),
        ("Settings", report.settings),
        ("Environment", {"tool": f"{report.tool.name} {report.tool.version}"} | report.environment),
    )
    return [(title, list(web.flat(values))) for title, values in sections]
