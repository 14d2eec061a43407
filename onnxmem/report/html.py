"""The HTML page: everything in one file, readable offline, without a request to anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from onnxmem.errors import UsageError
from onnxmem.findings import (
    all_waivers_told,
    audit_findings,
    audit_headline,
    comparison_findings,
    comparison_headline,
    headline_length,
    likeness_findings,
    likeness_summary,
    short_names,
    two_numbers,
)
from onnxmem.records import Cell, Comparison, Report, model_names
from onnxmem.records.comparability import differing
from onnxmem.report import (
    charts,
    comparison_charts,
    findings,
    likeness,
    look,
    rows,
    sparkline,
    web,
    words,
)
from onnxmem.report.command import command_line
from onnxmem.text import file_name


def render(report: Report) -> str:
    """Return the page of one report."""
    return _page([report], f"{file_name(report.model.path)}: memorization audit")


def side_by_side(reports: Sequence[Report], lead: str = "") -> str:
    """Return one page for several reports: all models together, then each of them.

    `lead` stands in place of the remark on whether the reports may be compared.

    Raises:
        UsageError: there is no report.
    """
    if not reports:
        raise UsageError("there is no report to show; give one at least")
    return _page(list(reports), f"{len(reports)} models: memorization audit", lead)


def compared(comparison: Comparison) -> str:
    """Return the page of a comparison: what it says, all models together, then each of them."""
    reports = list(comparison.reports)
    return _page(reports, f"{len(reports)} models compared", comparison=comparison)


def fragment(report: Report) -> str:
    """Return the table of layers as a fragment without scripts, for notebooks."""
    return web.environment().get_template("notebook.html").render(model=_model(0, report, "layers"))


def compared_fragment(comparison: Comparison) -> str:
    """Return what a comparison says, and its scores, without scripts, for notebooks."""
    template = web.environment().get_template("notebook_comparison.html")
    return template.render(compared=_compared(comparison))


def _page(
    reports: list[Report], title: str, lead: str = "", comparison: Comparison | None = None
) -> str:
    names = model_names(reports)
    models = [
        _model(index, report, name)
        for index, (report, name) in enumerate(zip(reports, names, strict=True))
    ]
    keys = words.curve_keys(*reports)
    together = _together(reports, list(names), keys, comparison) if len(reports) > 1 else None
    drawn = [model["charts"] for model in models]
    scripts = [web.runtime(), web.source("page.js")]
    style = web.source("page.css")
    return (
        web.environment()
        .get_template("page.html")
        .render(
            title=title,
            tool=reports[0].tool,
            models=models,
            together=together,
            lead=lead,
            compared=None if comparison is None else _compared(comparison),
            differences=[] if comparison is not None else differing(reports),
            unequal=[] if comparison else list(findings.unequal_accuracies(names, reports)),
            unmeasured=[n for n, r in zip(names, reports, strict=True) if not r.measured],
            keys=keys,
            policy=web.policy(scripts, style),
            scripts=[Markup(script) for script in scripts],
            style=Markup(style),
            drawings=web.embedded(
                {
                    "config": look.config("currentColor"),
                    "models": drawn,
                    "together": together,
                }
            ),
        )
    )


def _compared(comparison: Comparison) -> dict[str, Any]:
    """Return what the template shows of a comparison besides its reports."""
    return {
        "headline": comparison_headline(comparison),
        "said": comparison_findings(comparison),
        "models": comparison.models,
        "alike": likeness_findings(comparison),
        "alike_summary": likeness_summary(comparison),
        "likeness": _likeness(comparison),
        "two_numbers": two_numbers(comparison),
        "findings": findings.findings(comparison),
        "limits": findings.limits(comparison),
        "waivers": all_waivers_told(comparison),
        "star": findings.APART if findings.starred(comparison) else "",
        "rows": [
            ("mean of what can be read", _texts(comparison.summary)),
            ("relative to the baseline", findings.relative_scores(comparison)),
            *(
                (f"{place} {findings.row_name(row)}", _texts(row.scores))
                for place, row in enumerate(comparison.layers, start=1)
            ),
        ],
    }


def _texts(scores: Mapping[str, Sequence[Cell | None]]) -> dict[str, list[str]]:
    return {key: list(map(findings.cell_text, cells)) for key, cells in scores.items()}


def _likeness(comparison: Comparison) -> dict[str, Any] | None:
    """Return how alike the models are on held-out inputs, None without such inputs."""
    if not comparison.predictions:
        return None
    return {
        "samples": comparison.held_out_samples,
        "tables": likeness.tables(comparison),
        "maps": likeness.map_names(comparison),
    }


def _model(index: int, report: Report, name: str) -> dict[str, Any]:
    """Return what the template shows of one report."""
    found = audit_findings(report)
    return {
        "id": f"m{index}",
        "name": name,
        "report": report,
        "headline": audit_headline(report),
        "lead": found[: headline_length(found)],
        "findings": found[headline_length(found) :],
        "sentence": words.sentence(report, reasoned=report.verdict != "inconclusive"),
        "accuracy": words.accuracy(report.baseline),
        "curve_keys": words.shown_keys(report),
        "sparklines": sparkline.of_layers(report),
        "row_names": rows.row_names(report),
        "first": rows.first_choice(report),
        "groups": [words.key_title(key) for key in words.curve_keys(report)],
        "groups_shown": rows.groups_shown(report),
        "groups_most": max(
            (len(c.groups) for layer in report.layers for c in layer.curves), default=0
        ),
        "errors": charts.rank_keys(report),
        "batches": words.batches(report),
        "facts": _facts(report),
        "command": command_line(report),
        "charts": _charts(report),
    }


def _charts(report: Report) -> dict[str, Any]:
    """Return the specifications and the rows of one report's charts."""
    measured = {curve.x_name for layer in report.layers for curve in layer.curves}
    drawn: dict[str, Any] = {
        f"overview-{batch}": charts.overview(report, batch) for batch in words.batches(report)
    }
    if "rank" in measured:
        drawn["rank"] = charts.accuracy_curves(report, "rank")
        drawn["error"] = charts.layer_error(report)
        drawn["errors"] = charts.all_errors(report)
    if "fraction" in measured:
        drawn["fraction"] = charts.accuracy_curves(report, "fraction")
    if report.seconds:
        drawn["times"] = charts.times(report)
    return {
        "specs": {name: web.spec(chart) for name, chart in drawn.items()},
        "datasets": {
            "curves": rows.curve_rows(report),
            "bare": rows.bare_rows(report),
            "groups": rows.group_rows(report),
            "times": rows.time_rows(report),
        },
    }


def _together(
    reports: list[Report],
    names: list[str],
    keys: Sequence[str],
    comparison: Comparison | None,
) -> dict[str, Any] | None:
    """Return the specifications and the rows of the charts that show several models.

    `matched` is what the template shows beside the chart of layers that correspond: None where no
    comparison tells which do, or where no curves over rank were measured.
    """
    first, batches = words.leading(keys), words.batches(*reports)
    if first is None:
        return None
    charts_of = {f"together-{one}": comparison_charts.together(names, one) for one in batches}
    charts_of["depth"] = comparison_charts.by_depth(names, first)
    datasets = {"models": rows.model_rows(reports), "depths": rows.depth_rows(reports)}
    if comparison is not None:
        charts_of["heat"] = comparison_charts.heat_map(
            short_names(names), rows.matched_names(comparison), first
        )
        datasets["heat"] = rows.heat_rows(comparison)
    if comparison is not None and comparison.predictions:
        charts_of |= likeness.charts(comparison)
        datasets |= likeness.datasets(comparison)
    matched = None
    over_rank = [key for key in keys if words.levels_of(key) == "rank"]
    chosen = words.leading(over_rank)
    if comparison is not None and chosen is not None:
        charts_of["matched"] = comparison_charts.matched_layer(names, chosen)
        datasets["matched"] = rows.matched_rows(comparison, over_rank)
        layers = rows.matched_names(comparison)
        matched = {"layers": layers, "keys": over_rank, "first": chosen}
    return {
        "specs": {name: web.spec(chart) for name, chart in charts_of.items()},
        "datasets": datasets,
        "batches": batches,
        "first": first,
        "matched": matched,
    }


def _facts(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return everything needed to repeat the run, as titled lists of names and values."""
    sections: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("Model", msgspec.to_builtins(report.model)),
        ("Data", msgspec.to_builtins(report.data)),
        ("Settings", report.settings),
        (
            "Environment",
            {"tool": f"{report.tool.name} {report.tool.version}"} | report.environment,
        ),
    )
    return [(title, list(web.flat(values))) for title, values in sections]
