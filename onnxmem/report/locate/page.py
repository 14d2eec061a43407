"""The page of where a network memorizes: what was found, a chart and a table for each part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from onnxmem.report import look, tabled, web
from onnxmem.report.locate.charts import TITLES, chart
from onnxmem.report.locate.rows import chart_rows, tables
from onnxmem.report.locate.words import (
    READ_SO,
    beside_headline,
    findings,
    heading,
    headline,
    notes,
    sentence,
)
from onnxmem.text import file_name

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

_DRAWN = {"gradients-checkpoint": ("ratio", "cosine"), "gradients-network": ("ratio", "cosine")}
"""Charts of a table; others have one of their own name."""


def render(report: LocateReport) -> str:
    """Return the page."""
    scripts = [web.runtime(), web.source("page.js")]
    style = web.source("page.css") + web.source("samples.css")
    rows = chart_rows(report)
    specs = {name: web.spec(chart(report, name)) for name in rows}
    group = {"specs": specs, "datasets": rows}
    drawings = {"config": look.config("currentColor"), "models": [group], "together": None}
    return (
        web.environment()
        .get_template("locate.html")
        .render(
            title=heading(report),
            tool=report.tool,
            name=file_name(report.model.path),
            headline=headline(report),
            lead=beside_headline(report),
            findings=findings(report)[2:],
            parts=list(_parts(report, specs)),
            read_so=READ_SO,
            notes=list(notes(report)),
            facts=_facts(report),
            policy=web.policy(scripts, style),
            scripts=[Markup(script) for script in scripts],
            style=Markup(style),
            drawings=web.embedded(drawings),
        )
    )


def fragment(report: LocateReport) -> str:
    """Return what was found, and every value as a table without scripts, for notebooks."""
    titles = ("Part", "Layer", "Samples", "Value")
    values = (
        (TITLES[name], row["layer"], row["series"], f"{row['value']:.3f}")
        for name, rows in chart_rows(report).items()
        for row in rows
    )
    return tabled.fragment(sentence(report), titles, values)


def _parts(report: LocateReport, specs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return tables, each with the charts that come before it."""
    found, drawn = [], set[str]()
    for key, title, heads, rows in tables(report):
        names = [one for one in _DRAWN.get(key, (key,)) if one in specs and one not in drawn]
        drawn.update(names)
        charts = [
            {"id": f"m0-{one}", "title": TITLES[one], "description": specs[one]["description"]}
            for one in names
        ]
        found.append({"id": key, "title": title, "heads": heads, "rows": rows, "charts": charts})
    return found


def _facts(report: LocateReport) -> list[tuple[str, list[tuple[str, str]]]]:
    rewinding = report.rewinding
    checkpoint = {} if rewinding is None else msgspec.to_builtins(rewinding.checkpoint)
    sections = (
        ("Model", msgspec.to_builtins(report.model)),
        ("Checkpoint", checkpoint),
        ("Data", msgspec.to_builtins(report.data)),
        ("Suspects", {} if report.suspected is None else msgspec.to_builtins(report.suspected)),
        ("Settings", report.settings),
        ("Environment", {"tool": f"{report.tool.name} {report.tool.version}"} | report.environment),
    )
    return [(title, list(web.flat(values))) for title, values in sections if values]
