"""The audit from beginning to end: a model, samples and settings in, a report out."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from onnxmem import graph
from onnxmem._version import __version__
from onnxmem.auditing import verdict
from onnxmem.auditing.clock import Clock
from onnxmem.auditing.identity import identify
from onnxmem.auditing.layer import Measured, unmeasured
from onnxmem.auditing.layer_cache import LayerCache
from onnxmem.auditing.open_model import OpenModel, RefusedError, open_model
from onnxmem.auditing.refused import refused_report
from onnxmem.auditing.settings import Settings
from onnxmem.auditing.setup import describe, set_up
from onnxmem.cache import NOWHERE, Store
from onnxmem.data import Column
from onnxmem.errors import DataError, OutOfMemoryError, UsageError
from onnxmem.factorize import kernel_name
from onnxmem.records import CACHED_LAYERS, SCHEMA, Report, Tool
from onnxmem.runtime import versions


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an audit stands: `done` of `total` curves, and the tensor that is worked on.

    `note` is said once, and worth a line of its own.
    """

    stage: str
    done: int
    total: int
    note: str = ""


Listener = Callable[[Progress], None]


def run_audit(
    path: str | Path,
    arrays: Mapping[str, Column],
    settings: Settings,
    *,
    data_path: str = "",
    data_options: Mapping[str, Any] = {},
    baseline: Report | None = None,
    store: Store = NOWHERE,
    listen: Listener = lambda progress: None,
    digests: np.ndarray | None = None,
) -> Report:
    """Audit the model at `path` with the samples in `arrays`.

    Args:
        path: the ONNX file.
        arrays: the inputs by name, labels in `y`; see `onnxmem.data.make_samples`.
        settings: of the audit.
        data_path: where the arrays come from, for the report.
        data_options: what the command line said about reading them, for the report.
        baseline: an earlier report, whose scores may not drop by more than the settings allow.
        store: layers that it knows are not measured again; those that are measured go there, one
            by one, so that an audit that was killed goes on where it was.
        listen: told about progress.
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
    check_complete(arrays, settings, baseline)
    try:
        with open_model(path, arrays, settings) as ready:
            sites, samples, network = ready.sites, ready.samples, ready.network
            digests = samples.digests if digests is None else digests
            context, accuracy, labelling = set_up(
                network, samples, digests, settings, ready.team, clock
            )
            data = describe(samples, digests, context, labelling, data_path, data_options)
            resolved = settings.to_dict() | {
                "metric": accuracy.metric,
                "output_name": network.output,
            }
            if baseline is not None:
                verdict.check_comparable(data, resolved, baseline)
            hints = (labelling.suspicion, *data.notes)
            doubt = verdict.doubt_baseline(accuracy, len(context.truth), settings, hints)
            machine = environment(ready)
            cache = LayerCache(store, identify(context, samples, resolved, machine), context)
            measured, cached = (
                ([unmeasured(site, doubt) for site in sites], 0)
                if doubt
                else _measure(sites, cache, settings, listen)
            )
    except RefusedError as refusal:
        return refused_report(
            refusal,
            settings,
            environment(refusal.opened),
            labelled="y" in arrays,
            data_path=data_path,
            data_options=data_options,
            baseline=baseline,
        )
    summary = verdict.summarize(measured, settings)
    gates = verdict.judge_gates(summary, settings.fail_under)
    if baseline is not None and settings.max_drop is not None:
        gates += verdict.judge_drops(summary, baseline, settings.max_drop)
    layers = tuple(item.layer for item in measured)
    outcome, reason = verdict.decide(doubt, measured, summary, gates)
    return Report(
        schema=SCHEMA,
        tool=Tool("onnxmem", __version__),
        model=ready.model,
        data=data,
        settings=resolved,
        environment=machine,
        baseline=accuracy,
        layers=layers,
        summary=summary,
        gates=gates,
        verdict=outcome,
        reason=reason,
        timings=clock.split() | ({CACHED_LAYERS: float(cached)} if cached else {}),
    )


def check_complete(
    arrays: Mapping[str, Column], settings: Settings, baseline: Report | None
) -> None:
    """Check that what the settings need is there.

    Raises:
        UsageError: there is a baseline but no largest drop, or the other way round.
        DataError: there are no labels to measure accuracy with.
    """
    if (settings.max_drop is None) != (baseline is None):
        raise UsageError("--baseline REPORT.json and --max-drop X belong together; give both")
    if settings.metric == "top1" and "y" not in arrays:
        raise DataError("--metric top1 needs labels: give an array 'y', or use --metric fidelity")


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


def environment(ready: OpenModel | None) -> dict[str, Any]:
    """Return what the numbers may depend on besides model, data and settings.

    `ready` is None where no device was chosen and no sample read, since nothing ran.
    """
    device = ready and ready.device
    return {
        "provider": device and device.provider,
        "device": device and device.name,
        "device_reason": device.reason if device else "nothing was run",
        "kernel": device and kernel_name(device.is_cuda),
        "python": platform.python_version(),
        **versions(ready.samples.libraries if ready else ()),
    }


__all__ = ["Progress", "environment", "run_audit"]
