"""What reports must agree on before their scores may be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnxmem.errors import UsageError
from onnxmem.records.report import DataInfo, Report

_COMPARABLE = ("batch", "compress", "kind", "layers", "metric", "per_class", "ranks")
"""Settings that must agree before the scores of two reports may be compared."""

OWN = ("data", "batches")
"""What may differ where each model is judged on data of its own."""

CLOSE = 0.01
"""Accuracies of untouched models that are no further apart move no score by more than noise."""

_SILENT = {"kind": ["relu"]}
"""What held in reports that do not mention a setting."""


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those settings of a report that must agree before its scores may be compared."""
    return {name: settings.get(name, _SILENT.get(name)) for name in _COMPARABLE}


def differing(
    reports: Sequence[Report], *, same_data: bool = False, own_data: bool = False
) -> list[str]:
    """Return what must be the same in all reports that measured anything, and is not.

    `same_data` tells that all got the same samples, even where their hashes are not equal;
    `own_data` that each is to be judged on samples or labels of its own.
    """
    facts = [
        {
            "classes": (report.data.classes, report.data.left_out),
            "data": None if same_data else report.data.sha256,
            "samples": report.data.samples,
            **_settings(report.settings),
            "seed": report.settings.get("seed"),
            "metric": report.baseline.metric,
            "batches": report.data.batches,
        }
        for report in reports
        if report.measured
    ]
    names = [name for name in facts[0] if not (own_data and name in OWN)] if facts else []
    differ = [name for name in names if any(fact[name] != facts[0][name] for fact in facts)]
    return [name for name in differ if name != "batches"] or differ


def check_comparable(
    data: DataInfo, settings: Mapping[str, Any], baseline: Report, *, other_data: bool = False
) -> None:
    """Check that a baseline report measured the same thing.

    `other_data` lets the samples be others; how many classes there are must be the same all the
    same.

    Raises:
        UsageError: the data, their classes or the settings differ; the message says which. Or the
            report measured nothing.
    """
    if not baseline.measured:
        raise UsageError(
            f"the baseline report measured nothing ({baseline.reason}); make a new one"
        )
    own, other = _settings(settings), _settings(baseline.settings)
    pairs = {
        "classes": (data.classes, baseline.data.classes),
        "data": (data.sha256, data.sha256 if other_data else baseline.data.sha256),
        **{name: (own[name], other[name]) for name in own},
    }
    differ = [
        f"{name} differ ({_plain(before)} there, {_plain(now)} here)"
        for name, (now, before) in pairs.items()
        if now != before
    ]
    if differ:
        allowed = " (or say --baseline-data other, where only the data are meant to differ)"
        raise UsageError(
            f"the baseline report measured something else: {', '.join(differ)}; "
            "make a new one with the same data and settings"
            f"{allowed if data.sha256 != baseline.data.sha256 and not other_data else ''}"
        )


def _plain(value: Any) -> str:
    """Return a setting as the command line has it, a hash by its beginning."""
    if value in (None, [], {}):
        return "not set"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)[:12]
