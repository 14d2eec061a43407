"""The options that `audit` and `compare` share, and the settings that they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from onnxmem.auditing import Settings
from onnxmem.cache import NOWHERE, Store, default_store
from onnxmem.compression.settings import parse_ranks
from onnxmem.data import Column, Source, load
from onnxmem.errors import UsageError
from onnxmem.records import Report
from onnxmem.report import load as load_report
from onnxmem.sizes import parse_size

from .parameters import CommaSeparated, FilePath, OutputFile

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("json", "html", "markdown", "junit", "sarif")


_READING = (
    click.option(
        "--labels", type=FilePath(), metavar="FILE", help="Labels as .npy, where DATA hold none."
    ),
    click.option(
        "--label-column",
        default="y",
        show_default=True,
        metavar="NAME",
        help="The array or column of DATA with the labels.",
    ),
    click.option(
        "--class-names",
        type=FilePath(),
        metavar="FILE",
        help="The class of each name, where labels or folders are names: lines or JSON.",
    ),
    click.option(
        "--preprocess",
        multiple=True,
        metavar="FILE|KEY=VALUE",
        help="How images are prepared: preprocessor_config.json, timm's config.json, or size=256, "
        "crop=224, mean=..., std=..., scale, resample, layout, dtype. Repeatable.",
    ),
)
bind_option = click.option(
    "--bind", multiple=True, metavar="NAME=VALUE", help="Fix an input for good. Repeatable."
)
exact_option = click.option(
    "--exact", is_flag=True, help="Leave out the optimizations that round; slower."
)
json_option = click.option(
    "--json", "json_path", type=OutputFile(), metavar="FILE", help="Write it as JSON; - is stdout."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, expose_value=False, help="Show a traceback on errors."
)
"""Looked for by the entry, before a command starts."""

kind_option = click.option(
    "--kind",
    type=CommaSeparated(),
    default="auto",
    show_default=True,
    help="Kinds of activations: gelu, silu, tanh, ..., or any, signed, nonnegative; auto takes "
    "ReLUs where there are any, else what there is.",
)
"""Which activations are sites."""

_MEASURING = (
    click.option("--layers", multiple=True, metavar="GLOB", help="Only these tensors. Repeatable."),
    kind_option,
    click.option(
        "--compress",
        type=CommaSeparated(),
        default="nmf,pca,ablation",
        show_default=True,
        help="Compressors.",
    ),
    click.option(
        "--batch",
        type=CommaSeparated(),
        default="class,mixed",
        show_default=True,
        help="Kinds of batches.",
    ),
    click.option(
        "--per-class", type=int, default=30, show_default=True, help="Samples of each class."
    ),
    click.option(
        "--ranks",
        default="auto",
        show_default=True,
        metavar="auto|1,2,...",
        help="Ranks to measure; auto stops when the AuC is known to 0.005, if accuracy does not "
        "fall with rank.",
    ),
    click.option(
        "--metric",
        type=click.Choice(["top1", "fidelity"]),
        help="Against labels or own predictions. Default: top1 where there are labels.",
    ),
    click.option("--output-name", metavar="NAME", help="The output that classifies."),
    bind_option,
    click.option(
        "--split",
        metavar="NAME",
        help="Samples of this split only. Default: train, if there is one.",
    ),
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="auto|cpu|cuda[:N]",
        help="Where to run; an explicit cuda never falls back.",
    ),
    exact_option,
    click.option(
        "--memory",
        metavar="SIZE",
        help="For activations, such as 2G; little may mean that auto measures all ranks. "
        "Default: half of what is free.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of every random choice."),
    click.option(
        "--cache/--no-cache",
        default=True,
        show_default=True,
        help="Keep what is measured, and take from there what was measured before.",
    ),
)

_JUDGING = (
    click.option(
        "--fail-under",
        multiple=True,
        metavar="KEY=VALUE",
        help="Fail if a score lies below, such as nmf.mixed=0.5. Repeatable.",
    ),
    click.option(
        "--baseline",
        type=FilePath(),
        metavar="REPORT.json",
        help="Compare the scores with this report.",
    ),
    click.option("--max-drop", type=float, metavar="X", help="Fail if a score drops by more."),
    click.option(
        "--min-accuracy", type=float, metavar="X", help="Inconclusive below this accuracy."
    ),
    click.option("--exit-zero", is_flag=True, help="Exit 0 if a gate fails; changes nothing else."),
)

_WRITING = (
    *(
        click.option(
            f"--{name}", type=OutputFile(), metavar="FILE", help=f"Write {title}; - is stdout."
        )
        for name, title in (
            ("json", "the report as JSON"),
            ("html", "a self-contained page"),
            ("markdown", "a summary for a pull request"),
            ("junit", "JUnit XML"),
            ("sarif", "SARIF 2.1.0"),
        )
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors and `-` outputs."),
    click.option("-v", "--verbose", is_flag=True, help="Show a traceback on errors."),
)


def take_store(options: dict[str, Any]) -> Store:
    """Return the cache of this user, or a store that keeps nothing.

    Raises:
        UsageError: see `onnxmem.cache.default_store`.
    """
    return default_store() if options["cache"] else NOWHERE


def take_baseline(options: dict[str, Any]) -> Report | None:
    """Return the report that scores are held against, None without one.

    Raises:
        DataError: it cannot be read.
    """
    return None if options["baseline"] is None else load_report(options["baseline"])


def audit_options(function: F) -> F:
    """Add all shared options to a command, in the order of the help."""
    for option in reversed((*_READING, *_MEASURING, *_JUDGING, *_WRITING)):
        function = option(function)
    return function


def output_options(function: F) -> F:
    """Add the options that say what to write."""
    for option in reversed(_WRITING):
        function = option(function)
    return function


_CUTTING = (
    bind_option,
    click.option(
        "--data",
        type=FilePath(),
        metavar="DATA",
        help="Samples, to learn types that the file does not tell.",
    ),
    quiet_option,
    verbose_option,
)


def part_options(function: F) -> F:
    """Add the options of the commands that write parts of a model."""
    for option in reversed(_CUTTING):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where reports go: format -> path, `-` for stdout."""

    paths: dict[str, str]

    @property
    def to_stdout(self) -> bool:
        """Whether stdout belongs to a report, so that nothing else may be printed there."""
        return "-" in self.paths.values()


def take_outputs(options: dict[str, Any], names: Sequence[str] = FORMATS) -> Outputs:
    """Read the output options called `names`.

    Raises:
        UsageError: two of them want the same place.
    """
    paths = {name: options[name] for name in names if options.get(name) is not None}
    taken: dict[str, str] = {}
    for name, path in paths.items():
        other = taken.setdefault(os.path.realpath(path), name)
        if other != name:
            raise UsageError(
                f"--{other} and --{name} would be written to the same place; give each its own FILE"
            )
    return Outputs(paths)


def take_settings(options: dict[str, Any]) -> Settings:
    """Turn the options of the command line into the settings of an audit.

    Raises:
        UsageError: a value that an option does not take.
    """
    return Settings(
        layers=tuple(options["layers"]),
        kind=options["kind"],
        compress=options["compress"],
        batch=options["batch"],
        per_class=options["per_class"],
        ranks=parse_ranks(str(options["ranks"])),
        metric=options["metric"],
        output_name=options["output_name"],
        bind=take_bind(options["bind"]),
        split=options["split"],
        device=options["device"],
        exact=options["exact"],
        memory=None if options["memory"] is None else parse_size(str(options["memory"])),
        seed=options["seed"],
        fail_under=take_thresholds(options["fail_under"]),
        min_accuracy=options["min_accuracy"],
        max_drop=options["max_drop"],
        baseline=options["baseline"],
    )


def take_data(path: str, options: dict[str, Any]) -> dict[str, Column]:
    """Read DATA as the options say.

    Raises:
        UsageError: they cannot be read.
    """
    return load(
        path,
        labels=options["labels"],
        label_column=options["label_column"],
        class_names=options["class_names"],
        preprocess=options["preprocess"],
    )


def take_source(path: str, options: dict[str, Any]) -> Source:
    """Return where DATA lie and what was said about reading them, for the report."""
    said = {
        "labels": options["labels"],
        "label_column": None if options["label_column"] == "y" else options["label_column"],
        "class_names": options["class_names"],
        "preprocess": list(options["preprocess"]),
    }
    return Source(path, {name: value for name, value in said.items() if value})


def data_files(path: str, options: dict[str, Any]) -> list[str]:
    """Return all files that `take_data` reads, which no output may overwrite."""
    others = (options["labels"], options["class_names"], *options["preprocess"])
    return [path, *filter(None, others)]


def take_bind(texts: Sequence[str]) -> dict[str, str]:
    """Read the values of `--bind`, by the name of the input.

    Raises:
        UsageError: one is not written as `NAME=VALUE`.
    """
    values: dict[str, str] = {}
    for text in texts:
        name, value = _pair(text, "--bind", "NAME=VALUE")
        if name in values:
            raise UsageError(f"--bind {name} is given twice; give all of its values at once")
        values[name] = value
    return values


def take_thresholds(texts: Sequence[str]) -> dict[str, float]:
    """Read the values of `--fail-under`, by the key of the score.

    Raises:
        UsageError: one is not written as `KEY=VALUE`, its value is no number, or there is another
            for the same score.
    """
    thresholds: dict[str, float] = {}
    for text in texts:
        key, value = _pair(text, "--fail-under")
        if key in thresholds:
            raise UsageError(
                f"--fail-under {key} is given twice; keep one threshold for each score"
            )
        try:
            thresholds[key] = float(value)
        except ValueError as error:
            raise UsageError(f"--fail-under {text!r}: {value!r} is no number") from error
    return thresholds


def _pair(text: str, option: str, form: str = "KEY=VALUE") -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not value:
        raise UsageError(f"{option} {text!r}: write it as {form}")
    return key, value
