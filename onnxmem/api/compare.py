"""Models, or reports, side by side, and reports from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from numpy.typing import ArrayLike

from onnxmem import comparing, records
from onnxmem import report as formats
from onnxmem.api.apart import apart
from onnxmem.api.models import Model, as_given, model_files
from onnxmem.api.options import AuditOptions, take_settings
from onnxmem.api.results import Comparison, LocateReport, Report, SamplesReport, TrackReport
from onnxmem.api.taking import Inputs, take_columns, take_held_out, take_source
from onnxmem.auditing.evidence import HeldOutSource
from onnxmem.comparing.together import compare_models
from onnxmem.errors import UsageError
from onnxmem.links import trusting_links
from onnxmem.records import model_names


@apart(records.Comparison, Comparison.of)
def compare(
    given: Sequence[records.Report] | Sequence[Model],
    x: Inputs | None = None,
    y: ArrayLike | None = None,
    *,
    notes: Sequence[str] = (),
    same_data: bool = False,
    own_data: bool = False,
    held_out: Inputs | Sequence[str] | None = None,
    sandbox: bool = False,
    timeout: float | None = None,
    trust_links: bool = False,
    **settings: Unpack[AuditOptions],
) -> Comparison:
    """Put models, or reports, side by side; the first is what the others differ from.

    Args:
        given: two or more reports; or models, which are audited on the same samples: paths, bytes
            or `onnx.ModelProto`.
        x: the samples of the models, as `onnxmem.audit` takes them; None for reports.
        y: their labels; None takes `y` from `x`, else each model's own predictions.
        notes: what is to be told beside the comparison.
        same_data: the caller has seen to it that all models got the same samples, even where
            each took them from an array of its own.
        own_data: reports of different samples or labels are compared, each on its own and
            unpaired.
        held_out: samples that the models were not trained on, with which they are likened: as
            `x`, or names of splits. None takes those that a `split` calls test, validation or
            held-out.
        sandbox: open the model in a child process under limits, which reads and writes nothing
            but what is named here, see `onnxmem.sandbox`; it gives the same numbers.
        timeout: seconds that the child may take.
        trust_links: take weights from wherever links beside a model lead to, see SECURITY.md.
        settings: of the audits of models, as keyword arguments of `onnxmem.audit`.

    Raises:
        UsageError: there are fewer than two, or they measured different things; the message says
            which. Or samples or settings are given for reports, or no samples for models.

    Source: see `onnxmem.comparing.comparison`.
    """
    reports = [one for one in given if isinstance(one, records.Report)]
    if len(reports) == len(given):
        if x is not None or y is not None or held_out is not None or settings:
            raise UsageError("reports are compared as they are: leave samples and settings out")
        return Comparison.of(
            comparing.compare(reports, notes=notes, same_data=same_data, own_data=own_data)
        )
    if reports:
        raise UsageError("models and reports cannot be compared with each other; audit the models")
    if x is None:
        raise UsageError("models are compared on samples; give them as x")
    if own_data:
        raise UsageError("own_data is for reports; audit each model on its own samples first")
    models = [one for one in given if not isinstance(one, records.Report)]
    with trusting_links(trust_links):
        return Comparison.of(_audited(models, x, y, take_held_out(held_out), notes, settings))


def _audited(
    models: Sequence[Model],
    x: Inputs,
    y: ArrayLike | None,
    held_out: HeldOutSource,
    notes: Sequence[str],
    settings: AuditOptions,
) -> records.Comparison:
    """Audit all models with the same samples, and liken them to each other."""
    if len(models) < 2:
        raise UsageError("there is nothing to compare; give two models or reports at least")
    chosen = take_settings(settings)
    with model_files(models) as paths:
        found = compare_models(
            paths,
            take_columns(x, y, chosen.memory),
            chosen,
            source=take_source(x),
            held_out=held_out,
        )
    reports = tuple(
        replace(report, model=as_given(report.model, model))
        for report, model in zip(found.reports, models, strict=True)
    )
    models_named = model_names(reports)
    name = dict(zip(found.models, models_named, strict=True))
    return replace(
        found,
        reports=reports,
        models=models_named,
        notes=(*found.notes, *notes),
        similarity=tuple(replace(s, a=name[s.a], b=name[s.b]) for s in found.similarity),
        predictions=tuple(replace(p, a=name[p.a], b=name[p.b]) for p in found.predictions),
    )


def load(path: str | Path) -> Report | Comparison | SamplesReport | LocateReport | TrackReport:
    """Return what a JSON file holds: what one of the commands left there.

    Raises:
        DataError: there is no such file, or it holds none of these.
    """
    found = formats.load_stored(path)
    if isinstance(found, records.SamplesReport):
        return SamplesReport.of(found)
    if isinstance(found, records.LocateReport):
        return LocateReport.of(found)
    if isinstance(found, records.TrackReport):
        return TrackReport.of(found)
    return Report.of(found) if isinstance(found, records.Report) else Comparison.of(found)
