"""Cells and sentences of a survey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnxmem.findings.numbers import counted, listed, percent, percents
from onnxmem.report import words
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import Estimate, Gate, Score, SurveyedModel, SurveyReport

STATES = {
    "pass": "pass",
    "none": "measured",
    "fail": "gate failed",
    "inconclusive": "inconclusive",
    "failed": "could not be audited",
    "waiting": "not audited yet",
}
"""What the states of models are called, the best first."""

READ_SO = (
    "Memorized: the share of the training samples that a network gives their label although most "
    "of their neighbours have another. AuC: the area under accuracy against rank, mean over the "
    "layers whose curve can be read; smaller means that less can be compressed away. Both with "
    "95 % intervals.",
    "Numbers of models with different data or settings are not comparable as they are; `onnxmem "
    "compare` says what two of them differ in.",
)


def sentence(report: SurveyReport) -> str:
    """Return how many models there are of each state, in one sentence."""
    states = report.states
    told = [f"{states[name]:,} {STATES[name]}" for name in STATES if states[name]]
    return f"{counted(len(report.models), 'model')}: {listed(told)}."


def shown_keys(report: SurveyReport) -> tuple[str, ...]:
    """Return the keys of the scores that some model has, in their order."""
    found = {key for one in report.models for key in one.summary}
    return tuple(key for key in words.KEYS if key in found)


def state(one: SurveyedModel) -> str:
    """Return the state of a model in words; a failed one with its exit code."""
    told = STATES[one.state]
    return f"{told} ({one.exit_code})" if one.state == "failed" else told


def kind(one: SurveyedModel) -> str:
    """Return the state as pages colour it."""
    return {"failed": "fail", "waiting": "none"}.get(one.state, one.state)


def cells(one: SurveyedModel, key: str | None) -> tuple[str, ...]:
    """Return what a row shows of a model: its name, accuracy, share, the score `key`, result."""
    accuracy = one.baseline.value if one.baseline else None
    pairs = share(one.memorized_share), score(one.summary.get(key or ""))
    told = f"{state(one)}: {one.reason}" if one.reason else state(one)
    return (
        printable(one.name, 40),
        "–" if accuracy is None else f"{accuracy:.3f}",
        *(" ".join(filter(None, pair)) for pair in pairs),
        printable(told, 160),
    )


def titles(key: str | None) -> tuple[str, ...]:
    """Return the titles over `cells`."""
    return ("Model", "Accuracy", "Memorized", f"AuC {key or ''}".strip(), "Result")


def share(value: Estimate | None) -> tuple[str, str]:
    """Return a share and its interval, a dash where there is none."""
    return ("–", "") if value is None else (percent(value.value), percents(value.low, value.high))


def score(value: Score | None) -> tuple[str, str]:
    """Return a score and its interval, or why it has none."""
    if value is None:
        return "–", ""
    if value.auc is None or value.auc_low is None or value.auc_high is None:
        return "–", "saturated" if value.layers_saturated else ""
    return words.number(value.auc), words.interval(value.auc_low, value.auc_high)


def gate(one: Gate, waived: tuple[str, ...]) -> str:
    """Return a gate, its threshold, and what became of it."""
    result = words.gate_state(one)
    forgiven = ", waived" if one.key in waived and one.passed is False else ""
    return f"{printable(one.key)} {one.threshold:g}: {result}{forgiven}"


def link(name: str) -> str:
    """Return a file's name if a page may link to it: a plain one beside the page, else nothing."""
    return name if name and printable(name) == name and not set(name) & set("/\\:#?%&\"'<>") else ""
