"""The options that several commands share, in groups, and the order in which commands take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import click

from .grouped import DATA, GATES, MEASURING, OUTPUTS, RUNNING, GroupedOption
from .offered import batches, compressors, devices, kinds, limits, ranks, scores
from .parameters import CommaSeparated, FilePath, OutputFile, Word

F = TypeVar("F", bound=Callable[..., Any])

_data, _measuring, _running, _gate, _output = (
    partial(click.option, cls=GroupedOption, group=group)
    for group in (DATA, MEASURING, RUNNING, GATES, OUTPUTS)
)

data_option = _data(
    "--data", type=FilePath(), required=True, metavar="DATA", help="Labelled samples."
)
bind_option = _running(
    "--bind", multiple=True, metavar="NAME=VALUE", help="Fix an input for good. Repeatable."
)
timeout_option = _running(
    "--timeout", type=float, metavar="SECONDS", help="End the command after that (exit 4)."
)
sandbox_option = _running(
    "--sandbox/--no-sandbox",
    default=True,
    show_default=True,
    help="Open models in a child under limits, kept to the files that are named here.",
)


def _trust(ctx: click.Context, _: click.Parameter, trust: bool) -> None:
    from onnxmem.links import trusting_links

    if trust:
        ctx.with_resource(trusting_links())


trust_links_option = _running(
    "--trust-links",
    is_flag=True,
    expose_value=False,
    callback=_trust,
    help="Take weights from wherever links beside the model lead to.",
)
exact_option = _running(
    "--exact", is_flag=True, help="Leave out the optimizations that round; slower."
)
device_option = _running(
    "--device",
    type=Word(devices),
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]",
    help="Where to run; an explicit cuda never falls back.",
)
layers_option = _measuring(
    "--layers", multiple=True, metavar="GLOB", help="Only these tensors. Repeatable."
)
kind_option = _measuring(
    "--kind",
    type=CommaSeparated(kinds),
    default="auto",
    show_default=True,
    help="Kinds of activations: gelu, silu, tanh, ..., or any, signed, nonnegative; auto takes "
    "ReLUs where there are any, else what there is.",
)
pool_option = _measuring(
    "--pool",
    type=click.Choice(["all", "mean"]),
    default="all",
    show_default=True,
    help="Neighbours by all positions of a layer, or by their mean.",
)
json_option = _output(
    "--json", "json_path", type=OutputFile(), metavar="FILE", help="Write it as JSON; - is stdout."
)
quiet_option = _output("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
verbose_option = _output(
    "-v", "--verbose", is_flag=True, expose_value=False, help="Show a traceback on errors."
)
"""Looked for by the entry, before a command starts."""

_held_out_option = _data(
    "--held-out",
    metavar="DATA|SPLIT",
    help="Samples that the network was not trained on, with or without labels, or the split "
    "of DATA that holds them. Default: those called test, validation or held-out.",
)
_TRAINING = (
    _data(
        "--split",
        metavar="NAME",
        help="Samples of this split only. Default: train, if there is one.",
    ),
    _data(
        "--labels", type=FilePath(), metavar="FILE", help="Labels as .npy, where DATA hold none."
    ),
    _data(
        "--label-column",
        default="y",
        show_default=True,
        metavar="NAME",
        help="The array or column of DATA with the labels.",
    ),
    _data(
        "--class-names",
        type=FilePath(),
        metavar="FILE",
        help="The class of each name, where labels or folders are names: lines or JSON.",
    ),
    _data(
        "--preprocess",
        multiple=True,
        metavar="FILE|KEY=VALUE",
        help="How images are prepared: preprocessor_config.json, timm's config.json, or size=256, "
        "crop=224, mean=..., std=..., scale, resample, layout, dtype. Repeatable.",
    ),
)

_READING = (_held_out_option, *_TRAINING)

_LOCATING = (
    _measuring(
        "--checkpoint",
        type=FilePath(),
        metavar="MODEL",
        help="An earlier state of MODEL, whose segments are put in the place of its own.",
    ),
    _measuring(
        "--suspects",
        metavar="FILE|samples",
        help="Which samples count as noisy: .npz with a boolean 'suspect', or CSV with 'id'; or "
        "those that neighbours flag. Default: where y_true of DATA differs from y, else those.",
    ),
    _measuring(
        "--most",
        type=int,
        default=2000,
        show_default=True,
        help="Suspects, and as many other samples, that layers are measured with.",
    ),
    _measuring(
        "--units",
        type=int,
        default=32,
        show_default=True,
        help="Suspects, and as many other samples, whose units are switched off; 0: none.",
    ),
)

_CURVES = (
    _measuring(
        "--compress",
        type=CommaSeparated(compressors),
        default="nmf,pca,ablation",
        show_default=True,
        help="Compressors; nmf_removed, pca_removed, random_removed take directions out.",
    ),
    _measuring(
        "--batch",
        type=CommaSeparated(batches),
        default="class,mixed",
        show_default=True,
        help="Kinds of batches.",
    ),
    _measuring(
        "--per-class", type=int, default=30, show_default=True, help="Samples of each class."
    ),
    _measuring(
        "--ranks",
        type=Word(ranks),
        default="auto",
        show_default=True,
        metavar="auto|1,2,...",
        help="Ranks to measure; auto stops when the AuC is known to 0.005, if accuracy does not "
        "fall with rank.",
    ),
    _measuring(
        "--metric",
        type=click.Choice(["top1", "fidelity"]),
        help="Against labels or own predictions. Default: top1 where there are labels.",
    ),
    pool_option,
    _measuring(
        "--no-samples",
        "without_samples",
        is_flag=True,
        help="Leave out which samples are memorized.",
    ),
)

_RUNNING = (
    _running("--output-name", metavar="NAME", help="The output that classifies."),
    bind_option,
    trust_links_option,
    device_option,
    exact_option,
    _running(
        "--memory",
        metavar="SIZE",
        help="For activations, such as 2G; little may mean that auto measures all ranks. "
        "Default: half of what is free.",
    ),
    _running("--seed", type=int, default=0, show_default=True, help="Of every random choice."),
    _running(
        "--cache/--no-cache",
        default=True,
        show_default=True,
        help="Keep what is measured, and take from there what was measured before.",
    ),
)

_ROOM = (timeout_option, sandbox_option)

_JUDGING = (
    _gate(
        "--fail-under",
        type=Word(scores),
        multiple=True,
        metavar="KEY=VALUE",
        help="Fail if a score lies below, such as nmf.mixed=0.5. Repeatable.",
    ),
    _gate(
        "--fail-over",
        type=Word(limits),
        multiple=True,
        metavar="KEY=VALUE",
        help="Fail if more than this share: memorized_share, strong_share, label_noise or "
        "held_out_disagreement. Repeatable.",
    ),
    _gate(
        "--baseline",
        type=FilePath(),
        metavar="REPORT.json",
        help="Compare the scores with this report.",
    ),
    _gate("--max-drop", type=float, metavar="X", help="Fail if a score drops by more."),
    _gate(
        "--baseline-data",
        type=click.Choice(["same", "other"]),
        default="same",
        show_default=True,
        help="Whether that report is one of the same data.",
    ),
    _gate(
        "--classes",
        type=int,
        metavar="N",
        help="Classes that the thresholds were set for; with fewer nothing passes. Default: those "
        "of the output, up to 100.",
    ),
    _gate("--min-accuracy", type=float, metavar="X", help="Inconclusive below this accuracy."),
    _gate("--exit-zero", is_flag=True, help="Exit 0 if a gate fails; changes nothing else."),
)


def _files(*kinds: tuple[str, str]) -> tuple[Callable[[F], F], ...]:
    return tuple(
        _output(f"--{name}", type=OutputFile(), metavar="FILE", help=f"Write {what}; - is stdout.")
        for name, what in kinds
    )


_TALKING = (
    _output("-q", "--quiet", is_flag=True, help="Print nothing but errors and `-` outputs."),
    _output("-v", "--verbose", is_flag=True, help="Show a traceback on errors."),
)
_REPORTS = (
    ("json", "the report as JSON"),
    ("html", "a self-contained page"),
    ("markdown", "a summary for a pull request"),
)
_FOR_CI = (("junit", "JUnit XML"), ("sarif", "SARIF 2.1.0"))
_STATEMENTS = (
    ("attest", "an in-toto statement of the gates"),
    ("bom", "a CycloneDX bill of materials"),
)
_PICTURES = (("png", "the charts as PNG"), ("svg", "the charts as SVG"))
_TABLES = (
    ("csv", "all samples, a row each, as CSV"),
    ("parquet", "the same as Parquet"),
)

_suspects_option = _measuring(
    "--suspects",
    type=FilePath(),
    metavar="FILE",
    help="Which samples count as noisy: .npz with a boolean 'suspect', or CSV with 'id'. Default: "
    "those whose neighbours have another label.",
)


def _added(options: Iterable[Callable[[F], F]], function: F) -> F:
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def audit_options(function: F) -> F:
    """Add the options that `audit` and `compare` share."""
    measuring = (layers_option, kind_option, *_CURVES)
    writing = (*_files(*_REPORTS, *_FOR_CI), *_TALKING)
    return _added((*_READING, *measuring, *_RUNNING, *_ROOM, *_JUDGING, *writing), function)


def statement_options(function: F) -> F:
    """Add the options of documents about one model."""
    return _added(_files(*_STATEMENTS), function)


def samples_options(function: F) -> F:
    """Add the options of `samples`."""
    measuring = (layers_option, kind_option, pool_option)
    writing = (*_files(*_REPORTS, *_TABLES), *_TALKING)
    return _added((*_READING, *measuring, *_RUNNING, *_ROOM, *writing), function)


def locate_options(function: F) -> F:
    """Add the options of `locate`."""
    measuring = (*_LOCATING, layers_option, kind_option, pool_option)
    writing = (*_files(*_REPORTS, *_PICTURES), *_TALKING)
    return _added((*_TRAINING, *measuring, *_RUNNING, *_ROOM, *writing), function)


def track_options(function: F) -> F:
    """Add the options of `track`."""
    measuring = (_suspects_option, layers_option, kind_option, pool_option)
    writing = (*_files(*_REPORTS, _TABLES[0], *_PICTURES), *_TALKING)
    return _added((*_READING, *measuring, *_RUNNING, *_ROOM, *writing), function)


_SURVEYING = (
    _data(
        "--data", type=FilePath(), metavar="DATA", help="Samples of all models, whatever they name."
    ),
    _running(
        "--workers",
        type=int,
        metavar="N",
        help="Models at a time. Default: one on each GPU, or one.",
    ),
    _running(
        "--scheduler",
        metavar="ADDRESS",
        help="Run on the Dask cluster of this scheduler, such as tcp://host:8786.",
    ),
    _running(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="What a model may take; then its audit is ended (exit 4).",
    ),
    _running(
        "--shard",
        metavar="I/N",
        help="Audit the I-th of N parts of the models only, for batch systems.",
    ),
)
_OUT = _output(
    "--out",
    type=FilePath(),
    default="survey",
    show_default=True,
    metavar="DIR",
    help="Where NAME.json and NAME.html of each model, survey.json and index.html go.",
)


def survey_options(function: F) -> F:
    """Add the options of `survey`: those of `audit` hold for all models."""
    measuring = (layers_option, kind_option, *_CURVES)
    first, *running = _SURVEYING
    running += [*_RUNNING, sandbox_option]
    options = (first, *_READING, *measuring, *running, *_JUDGING, _OUT, *_TALKING)
    return _added(options, function)


def output_options(function: F) -> F:
    """Add the options that say what to write of a report."""
    return _added((*_files(*_REPORTS, *_FOR_CI), *_TALKING), function)


def part_options(function: F) -> F:
    """Add the options of the commands that write parts of a model."""
    data = _data(
        "--data",
        type=FilePath(),
        metavar="DATA",
        help="Samples, to learn types that the file does not tell.",
    )
    options = (bind_option, trust_links_option, data, *_ROOM, quiet_option, verbose_option)
    return _added(options, function)
