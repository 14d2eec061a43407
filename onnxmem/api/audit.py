"""One call for one audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import ArrayLike

from onnxmem import records
from onnxmem.api.apart import apart
from onnxmem.api.models import Model, as_given, model_file
from onnxmem.api.options import AuditOptions, take_settings
from onnxmem.api.remembered import Asked
from onnxmem.api.results import Report
from onnxmem.api.taking import Inputs, take_columns, take_held_out, take_source, take_store
from onnxmem.auditing import Progress, run_audit
from onnxmem.links import trusting_links
from onnxmem.network.features import Pool
from onnxmem.records import Batch, Compressor, Metric, Waiver
from onnxmem.spreading.chosen import chosen_executor
from onnxmem.spreading.job import make_job
from onnxmem.spreading.places import Given, meeting_place, spooled
from onnxmem.spreading.spread import spread


@apart(records.Report, Report.of)
def audit(
    model: Model,
    x: Inputs,
    y: ArrayLike | None = None,
    *,
    layers: Sequence[str] = (),
    kind: Sequence[str] = ("auto",),
    compress: Sequence[Compressor] = ("nmf", "pca", "ablation"),
    batch: Sequence[Batch] = ("class", "mixed"),
    per_class: int = 30,
    ranks: Sequence[int] | Literal["auto"] = "auto",
    metric: Metric | None = None,
    output_name: str | None = None,
    bind: Mapping[str, Any] | None = None,
    trust_links: bool = False,
    split: str | None = None,
    device: str = "auto",
    exact: bool = False,
    memory: int | None = None,
    seed: int = 0,
    fail_under: Mapping[str, float] | None = None,
    fail_over: Mapping[str, float] | None = None,
    classes: int | None = None,
    samples: bool = True,
    held_out: Inputs | Sequence[str] | None = None,
    pool: Pool = "all",
    min_accuracy: float | None = None,
    waivers: Sequence[Mapping[str, str] | Waiver] = (),
    cache: bool | str | Path = False,
    workers: int | None = None,
    executor: Executor | None = None,
    scheduler: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    sandbox: bool = False,
    timeout: float | None = None,
) -> Report:
    """Score every layer of an ONNX network by how well it survives compression.

    Args:
        model: path of the ONNX file, its bytes, or an `onnx.ModelProto`.
        x: the samples, preprocessed as the network takes them: an array (samples, ...), or one
            for each input name; or a path, or what `onnxmem.data.load` returned for one.
        y: (samples,) the integer labels that the network was trained on; None takes `y` from `x`
            if it is there, else groups the samples by the network's own predictions and measures
            fidelity to them.
        layers: glob patterns of tensor names; none takes every site.
        kind: "auto", which takes ReLUs where there are any, else what activations there are; or
            groups ("any", "signed", "nonnegative") and names of kinds, see `onnxmem.graph.KINDS`.
        compress: of "nmf", "pca", "ablation", and of "nmf_removed", "pca_removed" and
            "random_removed", which take directions out.
        batch: of "class" and "mixed".
        per_class: samples of each class.
        ranks: "auto" chooses ranks until the AuC is known to 0.005, if accuracy does not fall with
            rank; or the ranks to measure, each of them once.
        metric: "top1" or "fidelity"; None takes top1 where there are labels.
        output_name: the output that classifies, if there are several.
        bind: values of inputs that are fixed for good.
        trust_links: take weights from wherever links beside the model lead to, see SECURITY.md.
        split: where `x` has an array `split`, the samples to take; None takes those called
            "train", if there are any.
        device: "auto", "cpu", "cuda" or "cuda:N".
        exact: leave out the optimizations of onnxruntime that round.
        memory: bytes that activations may take; None is half of what is free.
        seed: of every random choice.
        fail_under: smallest score for keys of the summary, such as {"nmf.mixed": 0.5}.
        fail_over: largest value for keys of the evidence, such as {"memorized_share": 0.3}.
        classes: how many classes the thresholds were set for; with fewer of them in the data, or
            fewer than ten different samples of one, no gate passes. None: those of the output, up
            to 100.
        samples: look at the neighbours of all samples, too; `report.evidence` is what they tell.
        held_out: samples that the network was not trained on, with or without labels: as `x`; or
            names of splits. None takes those that a `split` calls test, validation or held-out.
        pool: "all" positions of a layer, or their "mean", for neighbours.
        min_accuracy: baseline accuracy below which the report is inconclusive.
        waivers: gates that may fail, as dictionaries with `gate`, `reason`, and where it is about
            one of them `layer` or `sample`, and `expires` (YYYY-MM-DD).
        cache: keep the results of layers, and take from there what was measured before: True for
            the folder that the command line uses, or a folder. Equal results, in less time.
        workers: processes that measure layers side by side; equal results.
        executor: a `concurrent.futures.Executor` that does so instead, on this machine or on others
            that see the same files, the cache among them. It stays open.
        scheduler: the address of a Dask scheduler, whose cluster is the executor.
        progress: called while the audit runs.
        sandbox: open the model in a child process under limits, which reads and writes nothing
            but what is named here, see `onnxmem.sandbox`; it gives the same numbers.
        timeout: seconds that the child may take.

    Returns:
        The report; `report.summary["nmf.mixed"].auc` is the score, 0 to 1. A network that cannot
        be audited (no activation, samples that influence each other, no classifier, ...) has a
        report as well: `report.verdict` is "inconclusive", `report.reason` says why,
        `report.measured` is False and every score None.

    Raises:
        OnnxmemError: one of the classes of `onnxmem.errors` whose exit code is 2 or 4, with a
            message of one line.

    Source: Collins, Bigdeli, Süsstrunk (2018), arXiv:1810.03372.
    """
    settings = take_settings(
        AuditOptions(
            layers=layers,
            kind=kind,
            compress=compress,
            batch=batch,
            per_class=per_class,
            ranks=ranks,
            metric=metric,
            output_name=output_name,
            bind=bind,
            split=split,
            device=device,
            exact=exact,
            memory=memory,
            seed=seed,
            fail_under=fail_under,
            fail_over=fail_over,
            classes=classes,
            samples=samples,
            pool=pool,
            min_accuracy=min_accuracy,
            waivers=waivers,
        )
    )
    listen = progress or (lambda event: None)
    asked = Asked(take_store(cache), model, {"x": x, "y": y, "held_out": held_out}, settings)
    key = asked.key()
    if (known := asked.recall(key)) is not None:
        count = len(known.layers)
        note = f"{count} of {count} layers from the cache"
        listen(Progress("looking at the cache", count, count, note, unit="layers"))
        return Report.of(known)
    arrays = take_columns(x, y, settings.memory)
    others = take_held_out(held_out)
    wanted = (workers, executor, scheduler) != (None, None, None)
    with (
        trusting_links(trust_links),
        model_file(model) as path,
        meeting_place(asked.store, wanted=wanted) as store,
    ):
        with chosen_executor(workers, scheduler, executor) as chosen:
            if chosen is not None:
                given = Given(x if y is None else None, held_out)
                with spooled(given, arrays, others, store) as reading:
                    spread(make_job(path, reading, settings, store, workers), chosen, listen)
        report = run_audit(
            path,
            arrays,
            settings,
            source=take_source(x),
            held_out=others,
            store=store,
            listen=listen,
        )
    asked.keep(key, report)
    return Report.of(replace(report, model=as_given(report.model, model)))
