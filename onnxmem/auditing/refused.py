"""The report of an audit that ended before anything was measured: the reason, and what is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from onnxmem._version import __version__
from onnxmem.auditing import verdict
from onnxmem.auditing.layer import unmeasured
from onnxmem.auditing.open_model import RefusedError
from onnxmem.auditing.settings import Settings
from onnxmem.records import SCHEMA, Baseline, DataInfo, Report, Tool


def refused_report(
    refusal: RefusedError,
    settings: Settings,
    environment: Mapping[str, Any],
    *,
    labelled: bool,
    data_path: str,
    data_options: Mapping[str, Any],
    baseline: Report | None,
) -> Report:
    """Return the report of a network that cannot be audited.

    Its layers are skipped for the reason of the refusal, and its gates are undecided.

    Args:
        refusal: why, and what is known of the network.
        settings: of the audit.
        environment: for the report.
        labelled: the data have labels.
        data_path: where the data come from.
        data_options: what the command line said about reading them.
        baseline: an earlier report that the scores would have been held against.
    """
    ready, reason = refusal.opened, str(refusal)
    own = settings.metric == "fidelity" or not labelled
    metric: Literal["top1", "fidelity"] = "fidelity" if own else "top1"
    summary = verdict.summarize((), settings)
    gates = verdict.judge_gates(summary, settings.fail_under)
    if baseline is not None and settings.max_drop is not None:
        held = {key: score for key, score in summary.items() if key in baseline.summary}
        gates += verdict.judge_drops(held, baseline, settings.max_drop)
    return Report(
        schema=SCHEMA,
        tool=Tool("onnxmem", __version__),
        model=refusal.model,
        data=DataInfo(
            path=data_path,
            sha256="" if ready is None else ready.samples.sha256,
            samples=0,
            classes=0,
            samples_given=0 if ready is None else len(ready.samples),
            notes=() if ready is None else ready.samples.notes,
            options=dict(data_options),
        ),
        settings=settings.to_dict()
        | {
            "metric": metric,
            "output_name": settings.output_name if ready is None else ready.network.output,
        },
        environment=dict(environment),
        baseline=Baseline(metric, None, None),
        layers=tuple(unmeasured(site, reason).layer for site in (ready.sites if ready else ())),
        summary=summary,
        gates=gates,
        verdict="inconclusive",
        reason=reason,
    )
