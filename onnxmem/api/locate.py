"""One call that tells in which layers a network memorized samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from onnxmem import records
from onnxmem.api.apart import apart
from onnxmem.api.models import Model, as_given, model_file
from onnxmem.api.results import LocateReport
from onnxmem.api.taking import (
    Inputs,
    plain,
    take_bind,
    take_columns,
    take_source,
    take_store,
    take_suspects,
    take_words,
)
from onnxmem.auditing import LocateSettings, Progress
from onnxmem.auditing.locate import locate as run
from onnxmem.links import trusting_links
from onnxmem.network.features import Pool


@apart(records.LocateReport, LocateReport.of)
def locate(
    model: Model,
    x: Inputs,
    y: ArrayLike | None = None,
    *,
    checkpoint: str | Path | None = None,
    suspects: str | Path | ArrayLike | None = None,
    most: int = 2000,
    units: int = 32,
    layers: Sequence[str] = (),
    kind: Sequence[str] = ("auto",),
    pool: Pool = "all",
    output_name: str | None = None,
    bind: Mapping[str, Any] | None = None,
    trust_links: bool = False,
    split: str | None = None,
    device: str = "auto",
    exact: bool = False,
    memory: int | None = None,
    seed: int = 0,
    cache: bool | str | Path = False,
    progress: Callable[[Progress], None] | None = None,
    sandbox: bool = False,
    timeout: float | None = None,
) -> LocateReport:
    """Tell in which layers an ONNX network memorized samples.

    Suspects are held against all other samples: where neighbours come to agree with their labels,
    how their gradients stand to those of others, how many units have to be switched off until they
    lose their label, and, with a checkpoint, what putting one segment after the other of it in the
    place of the network's own takes away from them.

    Args:
        model: path of the ONNX file, its bytes, or an `onnx.ModelProto`.
        x: all training samples, as `onnxmem.samples` takes them.
        y: (samples,) the integer labels that the network was trained on; None takes `y` from `x`.
        checkpoint: path of an earlier state of the network, of the same architecture; names and
            the exporter may differ.
        suspects: (rows,) true where a sample counts as noisy, or a path as `--suspects` takes it,
            or "samples": those that are memorized by what neighbours say. None takes those whose
            `y_true` in `x` differs from `y`, and without that "samples".
        most: suspects, and as many other samples, that layers are measured with.
        units: suspects, and as many others, whose units are switched off; 0 leaves that out.
        layers: glob patterns of tensor names; none takes every site. Segments lie between them.
        kind: kinds of activations, as `onnxmem.audit` takes them.
        pool: "all" positions of a layer, or their "mean"; for neighbours.
        output_name: the output that classifies, if there are several.
        bind: values of inputs that are fixed for good.
        trust_links: take weights from wherever links beside the model lead to, see SECURITY.md.
        split: where `x` has an array `split`, the samples to take; None takes those called
            "train", if there are any.
        device: "auto", "cpu", "cuda" or "cuda:N".
        exact: leave out the optimizations of onnxruntime that round.
        memory: bytes that activations may take; None is half of what is free.
        seed: of every random choice.
        cache: keep neighbours, and take from there what was found before.
        progress: called while it runs.
        sandbox: open the model in a child process under limits, which reads and writes nothing
            but what is named here, see `onnxmem.sandbox`; it gives the same numbers.
        timeout: seconds that the child may take.

    Returns:
        The report: `found.rewinding.segments`, `found.depth.layers`, `found.gradients` and
        `found.units`, each with a `reason` where it has nothing to tell.

    Raises:
        OnnxmemError: one of the classes of `onnxmem.errors` whose exit code is 2 or 4, with a
            message of one line.

    Source: Maini et al. (2023), Can Neural Network Memorization Be Localized?
    """
    given, said = take_suspects(suspects)
    settings = LocateSettings(
        checkpoint=None if checkpoint is None else str(checkpoint),
        suspects=said,
        most=plain(most),
        units=plain(units),
        layers=take_words("layers", layers, separator=None),
        kind=take_words("kind", kind),
        pool=pool,
        output_name=output_name,
        bind=take_bind(bind),
        split=split,
        device=device,
        exact=plain(exact),
        memory=plain(memory),
        seed=plain(seed),
    )
    with trusting_links(trust_links), model_file(model) as path:
        report = run(
            path,
            take_columns(x, y, settings.memory),
            settings,
            checkpoint=checkpoint,
            suspects=given,
            source=take_source(x),
            store=take_store(cache),
            listen=progress or (lambda event: None),
        )
    return LocateReport.of(replace(report, model=as_given(report.model, model)))
