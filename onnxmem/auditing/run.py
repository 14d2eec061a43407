"""The audit from beginning to end: a model, samples and settings in, a report out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from onnxmem import graph
from onnxmem._version import __version__
from onnxmem.auditing import verdict
from onnxmem.auditing.data_info import describe
from onnxmem.auditing.drops import check_layers
from onnxmem.auditing.enough import doubt_samples, expected_classes
from onnxmem.auditing.evidence import SAME_DATA, HeldOutSource, find_evidence, take_held_out
from onnxmem.auditing.gates import doubt, judge, judge_limits, undecided
from onnxmem.auditing.identity import Trace, identify_curves
from onnxmem.auditing.layer_cache import LayerCache
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.auditing.refused import refused_report
from onnxmem.auditing.settings import Settings, check_complete
from onnxmem.auditing.waivers import forgive, judge_waivers
from onnxmem.cache import NOWHERE, Store
from onnxmem.compression.experiment import Experiment, bootstrap_weights, grouping
from onnxmem.compression.layer import Measured, unmeasured
from onnxmem.data import IN_MEMORY, Column, Samples, Source
from onnxmem.errors import OutOfMemoryError
from onnxmem.evidence.gather import Asked
from onnxmem.evidence.samples import most_memorized
from onnxmem.factorize import first_use
from onnxmem.network.clock import Clock
from onnxmem.network.evaluation import Evaluation, evaluate
from onnxmem.network.identity import environment
from onnxmem.network.opening import Opened, RefusedError, open_network
from onnxmem.records import CACHED_LAYERS, SCHEMA, DataInfo, Evidence, Gate, ModelInfo, Report, Tool
from onnxmem.records.comparability import check_comparable
from onnxmem.sandbox import noted

_MOST_SAMPLES = 100
"""Memorized samples that a report names."""


def run_audit(
    path: str | Path,
    arrays: Mapping[str, Column],
    settings: Settings,
    *,
    source: Source = IN_MEMORY,
    baseline: Report | None = None,
    held_out: HeldOutSource = SAME_DATA,
    store: Store = NOWHERE,
    listen: Listener = lambda progress: None,
    witness: Callable[[Evidence], None] = lambda evidence: None,
    digests: np.ndarray | None = None,
) -> Report:
    """Audit the model at `path` with the samples in `arrays`.

    Args:
        path: the ONNX file.
        arrays: the inputs by name, labels in `y`; see `onnxmem.data.make_samples`.
        settings: of the audit.
        source: where the arrays come from, for the report.
        baseline: an earlier report, whose scores may not drop by more than the settings allow.
        held_out: where samples come from that the network was not trained on.
        store: layers that it knows are not measured again; those that are measured go there, one
            by one, so that an audit that was killed goes on where it was.
        listen: told about progress.
        witness: gets the evidence of all samples, of which the report holds the most memorized.
        digests: (samples,) what samples are chosen by in place of their own hashes, so that
            several models get the same batches of samples that each takes in its own form.

    Returns:
        The report. Where the network cannot be audited at all it is inconclusive, and nothing in it
        was measured.

    Raises:
        OnnxmemError: see `onnxmem.errors`; none of those that are inconclusive.
    """
    clock = Clock()
    listen(Progress("loading the model", 0, 0))
    check_complete(settings, arrays, baseline)
    try:
        with open_network(path, arrays, settings) as opened:
            digests = opened.samples.digests if digests is None else digests
            evaluation = evaluate(opened, digests, grouping(settings), clock)
            data = describe(opened.samples, digests, evaluation, settings.per_class, source)
            others = take_held_out(opened, arrays, held_out) if settings.samples else None
            found = partial(_evidence, opened, others, settings, store, clock, listen, witness)
            return _report(opened, evaluation, data, settings, baseline, found, store, listen)
    except RefusedError as refusal:
        machine, labelled = noted(environment(refusal.opened)), "y" in arrays
        return refused_report(refusal, settings, machine, source, baseline, labelled=labelled)


def _report(
    opened: Opened,
    evaluation: Evaluation,
    data: DataInfo,
    settings: Settings,
    baseline: Report | None,
    find: Callable[[], Evidence | None],
    store: Store,
    listen: Listener,
) -> Report:
    """Measure all layers, unless the untouched model is in doubt, and judge what came out."""
    untouched, suspicion = evaluation.baseline, evaluation.labelling.suspicion
    classes = expected_classes(evaluation.classes)
    resolved = settings.resolved(untouched.metric, opened.network.output, opened.sites, classes)
    if baseline is not None:
        other = settings.baseline_data == "other"
        check_comparable(data, resolved, baseline, other_data=other)
        check_layers([unmeasured(site, "").layer for site in opened.sites], baseline)
    hints = (suspicion, *data.notes)
    unclear = verdict.doubt_baseline(untouched, data.samples, settings, hints)
    if not unclear and (caution := verdict.caution_baseline(untouched, suspicion)):
        data = replace(data, notes=(*data.notes, caution))
    machine = environment(opened)
    measured, cached = [unmeasured(site, unclear) for site in opened.sites], 0
    accuracies: dict[str, np.ndarray] = {}
    evidence = find()
    if not unclear:
        weights = bootstrap_weights(evaluation.selection, settings.batch, settings.seed)
        accuracies = {kind: drawn @ evaluation.correct for kind, drawn in weights.items()}
        experiment = Experiment(evaluation, settings.curves, weights)
        identity = identify_curves(experiment, opened.samples, resolved, machine)
        trace = Trace.of(opened, evaluation.selection, settings)
        trace.leave(store, identity, with_evidence=settings.samples)
        cache = LayerCache(store, identity, experiment)
        measured, cached = _measure(opened.sites, cache, settings, listen)
    summary = verdict.summarize(measured, settings, accuracies)
    report = Report(
        schema=SCHEMA,
        tool=Tool("onnxmem", __version__),
        model=_with_parts(opened.info, measured),
        data=data,
        settings=resolved,
        environment=noted(machine),
        baseline=untouched,
        layers=tuple(item.layer for item in measured),
        summary=summary,
        gates=(),
        verdict="none",
        reason="",
        evidence=evidence,
        timings=evaluation.clock.split() | ({CACHED_LAYERS: float(cached)} if cached else {}),
    )
    gates, scarce = _judge(report, opened, settings, baseline)
    forgiven, told = judge_waivers(report, gates, settings.waivers)
    counting = [gate for gate in gates if gate not in forgiven]
    decided = verdict.decide(unclear, measured, summary, counting, scarce)
    outcome, reason = forgive(*decided, forgiven, told)
    return replace(report, gates=gates, verdict=outcome, reason=reason, waivers=told)


def _judge(
    report: Report, opened: Opened, settings: Settings, baseline: Report | None
) -> tuple[tuple[Gate, ...], str]:
    """Return all gates, and why the data do not carry them, if they do not."""
    gates = judge(report, settings.fail_under, baseline, settings.max_drop)
    limits = judge_limits(report.evidence, settings.fail_over)
    scarce = doubt(report, baseline) if settings.curves_gated else ""
    if limits and opened.samples.labels is not None:
        few = doubt_samples(opened.samples, report.settings["classes"])
        limits, scarce = undecided(limits) if few else limits, scarce or few
    return gates + limits, scarce


def _evidence(
    opened: Opened,
    held_out: Samples | None,
    settings: Settings,
    store: Store,
    clock: Clock,
    listen: Listener,
    witness: Callable[[Evidence], None],
) -> Evidence | None:
    """Return what neighbours tell, of the samples the most memorized; None if it is not wanted."""
    if not settings.samples:
        return None
    how = settings.evidence
    asked = Asked(how.pool, how.seed, how.influences, environment(opened))
    found = find_evidence(opened, held_out, asked, store=store, clock=clock, listen=listen)
    witness(found)
    return replace(found, samples=most_memorized(found.samples, _MOST_SAMPLES))


def _with_parts(info: ModelInfo, measured: Sequence[Measured]) -> ModelInfo:
    """Return what a report says of the model, with a note where signed activations were factorized.

    Their scores stand in one mean with those of others.
    """
    tensors = {item.layer.tensor for item in measured if any(c.parts for c in item.layer.curves)}
    if not tensors:
        return info
    count = len({item.layer.tensor for item in measured if item.layer.curves})
    note = (
        f"{len(tensors)} of {count} layers can go below zero: their positive and negative parts "
        "are factorized side by side (NMF of parts), which is not the method of the paper"
    )
    return replace(info, notes=(*info.notes, note))


def _measure(
    sites: Sequence[graph.Site], cache: LayerCache, settings: Settings, listen: Listener
) -> tuple[list[Measured], int]:
    """Return all layers in their order, and how many of them were known before."""
    each = len(settings.compress) * len(settings.batch)
    total, measured = each * len(sites), []
    found = [cache.find(site) for site in sites]
    cached = sum(len(parts) == len(settings.compress) for parts in found)
    done = each * cached
    if cached:
        note = f"{cached} of {len(sites)} layers from the cache"
        listen(Progress("looking at the cache", done, total, note))
    if cached < len(sites) and (said := first_use(cache.on_device)):
        listen(Progress("compiling kernels", done, total, said, unit="kernels"))
    for site, parts in zip(sites, found, strict=True):
        if len(parts) == len(settings.compress):
            measured.append(cache.complete(site, parts))
            continue
        report = partial(_report_curve, listen, site.tensor, done, total)
        report(0)
        measured.append(cache.complete(site, parts, report))
        done += each
    exhausted = [item.layer.reason for item in measured if item.exhausted]
    if exhausted and not any(item.layer.curves for item in measured):
        raise OutOfMemoryError(exhausted[0])
    listen(Progress("done", total, total))
    return measured, cached


def _report_curve(listen: Listener, tensor: str, before: int, total: int, done: int) -> None:
    listen(Progress(tensor, before + done, total))
