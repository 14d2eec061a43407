"""What options say, as what the library takes: settings, data, stores, outputs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onnxmem import report as formats
from onnxmem.errors import UsageError
from onnxmem.sizes import parse_size

if TYPE_CHECKING:
    from onnxmem.auditing import LocateSettings, Settings
    from onnxmem.auditing.evidence import HeldOutSource
    from onnxmem.cache import Store
    from onnxmem.data import Column, Source, Suspects
    from onnxmem.evidence.settings import EvidenceSettings
    from onnxmem.records import Report

FORMATS = ("json", "html", "markdown", "junit", "sarif")
STATEMENTS = ("attest", "bom")
"""Documents about one model."""


def take_store(options: dict[str, Any]) -> Store:
    """Return the cache of this user, or a store that keeps nothing.

    Raises:
        UsageError: see `onnxmem.cache.default_store`.
    """
    from onnxmem.cache import NOWHERE, default_store

    return default_store() if options["cache"] else NOWHERE


def take_baseline(options: dict[str, Any]) -> Report | None:
    """Return the report that scores are held against, None without one.

    Raises:
        DataError: it cannot be read.
    """
    return None if options["baseline"] is None else formats.load(options["baseline"])


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
    from onnxmem.auditing import Settings
    from onnxmem.compression.settings import parse_ranks

    return Settings(
        **_how_to_run(options),
        compress=options["compress"],
        batch=options["batch"],
        per_class=options["per_class"],
        ranks=parse_ranks(str(options["ranks"])),
        metric=options["metric"],
        pool=options["pool"],
        samples=not options["without_samples"],
        fail_under=take_thresholds(options["fail_under"]),
        fail_over=take_thresholds(options["fail_over"], "--fail-over"),
        min_accuracy=options["min_accuracy"],
        max_drop=options["max_drop"],
        baseline=options["baseline"],
        classes=options["classes"],
        baseline_data=options["baseline_data"],
    )


def check_settings(options: dict[str, Any]) -> None:
    """Check that options make the settings of their command.

    Raises:
        UsageError: a value that an option does not take.
    """
    if "compress" in options:
        take_settings(options)
    else:
        (take_locate_settings if "checkpoint" in options else take_evidence_settings)(options)


def take_evidence_settings(options: dict[str, Any]) -> EvidenceSettings:
    """Turn the options of the command line into how neighbours are looked for.

    Raises:
        UsageError: a value that an option does not take.
    """
    from onnxmem.evidence.settings import EvidenceSettings

    return EvidenceSettings(**_how_to_run(options), pool=options["pool"])


def take_locate_settings(options: dict[str, Any]) -> LocateSettings:
    """Turn the options of the command line into what is asked of layers.

    Raises:
        UsageError: a value that an option does not take.
    """
    from onnxmem.auditing import LocateSettings

    return LocateSettings(
        **_how_to_run(options),
        pool=options["pool"],
        checkpoint=options["checkpoint"],
        suspects=options["suspects"],
        most=options["most"],
        units=options["units"],
    )


def take_suspects(options: dict[str, Any]) -> Suspects | None:
    """Read which samples count as noisy, None where no file says so.

    Raises:
        DataError: there is no such file, or it says nothing of that.
    """
    from onnxmem.auditing.locate_settings import FLAGGED
    from onnxmem.data import read_suspects

    given = options["suspects"]
    return None if given in (None, FLAGGED) else read_suspects(given)


def _how_to_run(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that say how a network is opened and run."""
    return {
        "layers": tuple(options["layers"]),
        "kind": options["kind"],
        "output_name": options["output_name"],
        "bind": take_bind(options["bind"]),
        "split": options["split"],
        "device": options["device"],
        "exact": options["exact"],
        "memory": _memory(options),
        "seed": options["seed"],
    }


def _memory(options: dict[str, Any]) -> int | None:
    return None if options["memory"] is None else parse_size(str(options["memory"]))


def take_held_out(options: dict[str, Any], columns: Mapping[str, Column]) -> HeldOutSource:
    """Return where held-out samples come from: DATA themselves, a split of theirs, or other data.

    Raises:
        DataError: there is neither such a split nor such a file.
    """
    from onnxmem.auditing.evidence import name_held_out

    return name_held_out(
        options["held_out"],
        columns,
        label_column=options["label_column"],
        class_names=options["class_names"],
        preprocess=options["preprocess"],
        memory=_memory(options),
    )


def held_out_path(options: dict[str, Any], source: HeldOutSource) -> str | None:
    """Return where other data with held-out samples lie, None where there are none."""
    return None if source.arrays is None else options["held_out"]


def take_data(path: str, options: dict[str, Any]) -> dict[str, Column]:
    """Read DATA as the options say.

    Raises:
        UsageError: they cannot be read.
    """
    from onnxmem.data import load

    return load(
        path,
        labels=options["labels"],
        label_column=options["label_column"],
        class_names=options["class_names"],
        preprocess=options["preprocess"],
        memory=_memory(options),
    )


def take_source(path: str, options: dict[str, Any]) -> Source:
    """Return where DATA lie and what was said about reading them, for the report."""
    from onnxmem.data import Source

    said = {
        "labels": options["labels"],
        "label_column": None if options["label_column"] == "y" else options["label_column"],
        "class_names": options["class_names"],
        "preprocess": list(options["preprocess"]),
    }
    return Source(path, {name: value for name, value in said.items() if value})


def data_files(path: str, options: dict[str, Any]) -> list[str]:
    """Return all files that `take_data` reads, which no output may overwrite."""
    others = (
        options["labels"],
        options["class_names"],
        options.get("held_out"),
        options.get("checkpoint"),
        *options["preprocess"],
    )
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


def take_thresholds(texts: Sequence[str], option: str = "--fail-under") -> dict[str, float]:
    """Read the values of `--fail-under`, or of another option, by their key.

    Raises:
        UsageError: one is not written as `KEY=VALUE`, its value is no number, or there is another
            for the same score.
    """
    thresholds: dict[str, float] = {}
    for text in texts:
        key, value = _pair(text, option)
        if key in thresholds:
            raise UsageError(f"{option} {key} is given twice; keep one threshold for each")
        try:
            thresholds[key] = float(value)
        except ValueError as error:
            raise UsageError(f"{option} {text!r}: {value!r} is no number") from error
    return thresholds


def _pair(text: str, option: str, form: str = "KEY=VALUE") -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not value:
        raise UsageError(f"{option} {text!r}: write it as {form}")
    return key, value
