"""One call that tells which checkpoint of a course of training to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from onnxmem import records, tracking
from onnxmem.api.apart import apart
from onnxmem.api.results import TrackReport
from onnxmem.api.taking import (
    Inputs,
    plain,
    take_bind,
    take_columns,
    take_held_out,
    take_source,
    take_store,
    take_suspects,
    take_words,
)
from onnxmem.auditing import Progress
from onnxmem.evidence.settings import EvidenceSettings
from onnxmem.links import trusting_links
from onnxmem.network.features import Pool


@apart(records.TrackReport, TrackReport.of)
def track(
    checkpoints: Sequence[str | Path] | str | Path,
    x: Inputs,
    y: ArrayLike | None = None,
    *,
    held_out: Inputs | Sequence[str] | None = None,
    suspects: str | Path | ArrayLike | None = None,
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
) -> TrackReport:
    """Tell which checkpoint of a course of training to keep, and when samples were fitted.

    A checkpoint is chosen by held-out inputs, whose labels are not needed: where its answers agree
    most with the labels of the 10 nearest training samples, mean over the layers.

    Args:
        checkpoints: paths of ONNX files of one architecture, in the order of training; or a folder
            or a pattern, whose files are taken in natural order (epoch_2 before epoch_10).
        x: all training samples, preprocessed as the network takes them: an array (samples, ...),
            or one for each input name; or a path, or what `onnxmem.data.load` returned for one.
        y: (samples,) the integer labels that the network was trained on; None takes `y` from `x`.
        held_out: samples that the network was not trained on, with or without labels: as `x`; or
            names of splits. None takes those that a `split` calls test, validation or held-out.
        suspects: (rows,) true where a sample counts as noisy, or a path as `--suspects` takes it;
            None takes those whose neighbours have another label, mean over the checkpoints.
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
        The report: `found.chosen` is the path of the checkpoint to keep (None where `found.reason`
        says why there is none), `found.checkpoints` one entry for each, `found.samples` one for
        each training sample, in the order of the data.

    Raises:
        UsageError: the checkpoints are not of one architecture.
        InconclusiveError: a checkpoint cannot be asked, or all of them are at chance.
        OnnxmemError: one of the classes of `onnxmem.errors`, with a message of one line.

    Sources: Cohen, Sapiro & Giryes (2018), DNN or k-NN, for the agreement; Gu & Tresp (2019),
        Neural Network Memorization Dissection, for the order in which samples are fitted.
    """
    settings = EvidenceSettings(
        layers=take_words("layers", layers, separator=None),
        kind=take_words("kind", kind),
        output_name=output_name,
        bind=take_bind(bind),
        split=split,
        device=device,
        exact=plain(exact),
        memory=plain(memory),
        seed=plain(seed),
        pool=pool,
    )
    arrays = take_columns(x, y, settings.memory)
    places = [checkpoints] if isinstance(checkpoints, (str, Path)) else list(checkpoints)
    with trusting_links(trust_links):
        found = tracking.track(
            places,
            arrays,
            settings,
            held_out=take_held_out(held_out),
            given=take_suspects(suspects)[0],
            source=take_source(x),
            store=take_store(cache),
            listen=progress or (lambda event: None),
        )
    return TrackReport.of(found)
