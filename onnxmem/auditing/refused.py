"""The report of an audit that ended before anything was measured: the reason, and what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onnxmem._version import __version__
from onnxmem.auditing import verdict
from onnxmem.auditing.gates import judge, judge_limits
from onnxmem.auditing.settings import Settings
from onnxmem.auditing.waivers import judge_waivers
from onnxmem.compression.layer import unmeasured
from onnxmem.data import Source
from onnxmem.network.opening import RefusedError
from onnxmem.records import SCHEMA, Baseline, DataInfo, Metric, Report, Tool


def refused_report(
    refusal: RefusedError,
    settings: Settings,
    environment: Mapping[str, Any],
    source: Source,
    baseline: Report | None,
    *,
    labelled: bool,
) -> Report:
    """Return the report of a network that cannot be audited.

    Its layers are skipped for the reason of the refusal, and its gates are undecided.

    Args:
        refusal: why, and what is known of the network.
        settings: of the audit.
        environment: for the report.
        source: where the data come from.
        baseline: an earlier report that the scores would have been held against.
        labelled: whether the data have labels.
    """
    opened, reason = refusal.opened, str(refusal)
    own = settings.metric == "fidelity" or not labelled
    metric: Metric = "fidelity" if own else "top1"
    summary = verdict.summarize((), settings)
    report = Report(
        schema=SCHEMA,
        tool=Tool("onnxmem", __version__),
        model=refusal.info,
        data=DataInfo(
            path=source.path,
            sha256="" if opened is None else opened.samples.sha256,
            samples=0,
            classes=0,
            samples_given=0 if opened is None else len(opened.samples),
            notes=() if opened is None else opened.samples.notes,
            options=dict(source.options),
        ),
        settings=settings.resolved(
            metric,
            settings.output_name if opened is None else opened.network.output,
            () if opened is None else opened.sites,
        ),
        environment=dict(environment),
        baseline=Baseline(metric, None, None),
        layers=tuple(unmeasured(site, reason).layer for site in (opened.sites if opened else ())),
        summary=summary,
        gates=(),
        verdict="inconclusive",
        reason=reason,
    )
    gates = judge(report, settings.fail_under, baseline, settings.max_drop)
    gates += judge_limits(None, settings.fail_over)
    _, told = judge_waivers(report, gates, settings.waivers)
    return replace(report, gates=gates, waivers=told)
