"""One call that tells which training samples a network memorized."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from onnxmem import records
from onnxmem.api.apart import apart
from onnxmem.api.models import Model, as_given, model_file
from onnxmem.api.results import SamplesReport
from onnxmem.api.taking import (
    Inputs,
    plain,
    take_bind,
    take_columns,
    take_held_out,
    take_source,
    take_store,
    take_words,
)
from onnxmem.auditing import Progress, find_samples
from onnxmem.evidence.settings import EvidenceSettings
from onnxmem.links import trusting_links
from onnxmem.network.features import Pool


@apart(records.SamplesReport, SamplesReport.of)
def samples(
    model: Model,
    x: Inputs,
    y: ArrayLike | None = None,
    *,
    held_out: Inputs | Sequence[str] | None = None,
    layers: Sequence[str] = (),
    kind: Sequence[str] = ("relu",),
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
) -> SamplesReport:
    """Tell which training samples of an ONNX network are memorized, and how many.

    Every training sample is held against its 20 nearest others, at the input and behind every
    activation. A sample that the network gives its label although most neighbours have another
    one is memorized, which does not say that its label is wrong.

    Args:
        model: path of the ONNX file, its bytes, or an `onnx.ModelProto`.
        x: all training samples, preprocessed as the network takes them: an array (samples, ...),
            or one for each input name; or a path, or what `onnxmem.data.load` returned for one.
        y: (samples,) the integer labels that the network was trained on; None takes `y` from `x`.
        held_out: samples that the network was not trained on, with or without labels: as `x`; or
            names of splits. None takes those that a `split` calls test, validation or held-out.
        layers: glob patterns of tensor names; none takes every site.
        kind: kinds of activations, as `onnxmem.audit` takes them.
        pool: "all" positions of a layer, or their "mean".
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
        The report: `found.network` holds the numbers of the network (None where `found.reason`
        says why there are none), `found.layers` one entry for each layer, `found.samples` one for
        each sample, in the order of the data.

    Raises:
        OnnxmemError: one of the classes of `onnxmem.errors` whose exit code is 2 or 4, with a
            message of one line.

    Sources: Cohen, Sapiro & Giryes (2018), DNN or k-NN; Storey (2002) for the share of noise;
        Baldock et al. (2021) for depths.
    """
    settings = EvidenceSettings(
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
        report = find_samples(
            path,
            take_columns(x, y, settings.memory),
            settings,
            held_out=take_held_out(held_out),
            pictures=True,
            source=take_source(x),
            store=take_store(cache),
            listen=progress or (lambda event: None),
        )
    return SamplesReport.of(replace(report, model=as_given(report.model, model)))
