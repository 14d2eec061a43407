"""A command whose options may stand in a file: its errors say so where a value came from there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from onnxmem.errors import ConfigError, OnnxmemError, UsageError
from onnxmem.report.own import is_ours

from .config import Config
from .entry import Run
from .grouped import GroupedCommand
from .options import check_settings
from .parameters import OutputFile


class ConfiguredCommand(GroupedCommand):
    """Blames the file, and the key in it, for what is wrong with its values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            ConfigError: a value in the file is not of the type that the option takes.
        """
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            found = _config(ctx)
            key = error.param.name if error.param is not None else None
            values = found.in_force(ctx)
            if key not in values:
                raise
            raise ConfigError(f"{found.place(key, values[key])}: {error.message}") from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            ConfigError: a value in the file makes no settings.
            OnnxmemError: that of the command, and the key in the file where it speaks of its value.
        """
        found = _config(ctx)
        values = found.in_force(ctx)
        for option in self.params:
            if option.name in values and isinstance(option.type, OutputFile):
                _check_output(found, option.name, values[option.name])
        try:
            return super().invoke(ctx)
        except OnnxmemError as error:
            if (key := self._wrong_setting(ctx, error, values)) is not None:
                raise ConfigError(f"{found.place(key, values[key])}: {error}") from error
            spoken_of = [key for key in values if _speaks_of(str(error), key, ctx.params[key])]
            if spoken_of:
                places = "; ".join(found.place(key, values[key]) for key in spoken_of)
                error.args = (f"{error} ({places})",)
            raise

    def _wrong_setting(
        self, ctx: click.Context, error: OnnxmemError, values: Mapping[str, Any]
    ) -> str | None:
        """Return the option whose value from the file makes the settings wrong.

        None where the settings are right, or wrong by the command line alone.
        """
        fault = str(error)
        if _complaint(ctx.params) != fault:
            return None
        defaults = self.make_context(ctx.info_name, [], resilient_parsing=True).params
        for key in values:
            left = _complaint({**ctx.params, key: defaults[key]})
            if not _same_fault(left, fault):
                return key
        return None


def _check_output(found: Config, key: str, path: str) -> None:
    """Check that a file of others' making writes nowhere but beside itself, over our files alone.

    Raises:
        ConfigError: it names another place, or a file that onnxmem did not write.
    """
    if path == "-":
        return
    folder, target = found.path.absolute().parent.resolve(), Path(os.path.realpath(path))
    place = found.place(key, path)
    if folder not in target.parents:
        raise ConfigError(
            f"{place}: it lies outside of {folder}, the folder of this file; "
            f"name such a place on the command line: --{key.replace('_', '-')} {path}"
        )
    try:
        ours = not target.exists() or (target.is_file() and is_ours(target))
    except OSError as error:
        raise ConfigError(f"{place}: {error.strerror or error}") from error
    if not ours:
        raise ConfigError(
            f"{place}: it is no report of onnxmem, and a configuration file overwrites nothing "
            f"else; remove it, or name it on the command line"
        )


def _config(ctx: click.Context) -> Config:
    run = ctx.find_object(Run)
    return Config() if run is None else run.config


def _complaint(options: dict[str, Any]) -> str:
    """Return what is wrong with the settings that the options make, if anything."""
    try:
        check_settings(options)
    except UsageError as error:
        return str(error)
    return ""


def _same_fault(one: str, other: str) -> bool:
    """Tell whether two messages complain of the same, whatever choice they then offer."""
    return one.partition(": ")[0] == other.partition(": ")[0]


def _speaks_of(message: str, key: str, value: Any) -> bool:
    """Tell whether a message names an option, or quotes the text or names the path it was given."""
    option = f"--{key.replace('_', '-')}"
    if re.search(rf"{option}(?![\w-])", message):
        return True
    texts = value if isinstance(value, tuple) else (value,)
    return any(
        isinstance(text, str) and (repr(text) in message or ("." in text and text in message))
        for text in texts
    )
