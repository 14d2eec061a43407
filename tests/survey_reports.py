"""Surveys that no audit left: one with a model of each state, and with hostile names."""

from __future__ import annotations

import report_samples
from report_samples import HOSTILE_NAMES

from onnxmem.records import SURVEY_SCHEMA, Estimate, SurveyedModel, SurveyReport, Tool


def report() -> SurveyReport:
    """Return a survey of five models: passed, failed a gate, refused, broken, not yet audited."""
    audited = {
        "good": report_samples.passing(),
        "bad": report_samples.failing(),
        "odd": report_samples.refused(),
    }
    rows = [
        SurveyedModel.of(name, f"zoo/{name}.onnx", "zoo/d.npz", one.exit_code, one)
        for name, one in audited.items()
    ]
    rows += [
        SurveyedModel("broken", "zoo/broken.onnx", "zoo/d.npz", 4, reason="its process died"),
        SurveyedModel("later", "zoo/later.onnx", "zoo/d.npz"),
    ]
    return SurveyReport(
        SURVEY_SCHEMA,
        Tool("onnxmem", "1.0"),
        {"sources": ["zoo.toml"], "timeout": None, "options": {"per_class": 10}},
        tuple(rows),
        {row.name: 1.5 for row in rows if row.exit_code is not None},
    )


def hostile() -> SurveyReport:
    """Return a survey of models whose every text comes from somebody who means harm."""
    rows = tuple(
        SurveyedModel(
            name, name, name, 4, reason=name, report=name, page=name,
            memorized_share=Estimate(0.1, 0.05, 0.2),
        )
        for name in HOSTILE_NAMES
    )  # fmt: skip
    return SurveyReport(SURVEY_SCHEMA, Tool("onnxmem", "1.0"), {"sources": HOSTILE_NAMES}, rows)
