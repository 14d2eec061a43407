"""Options from `onnxmem.toml`, or from `[tool.onnxmem]` of `pyproject.toml`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from onnxmem.errors import ConfigError

CONFIGURABLE = ("audit", "compare")


def default_map(ctx: click.Context) -> dict[str, Any]:
    """Return defaults for the commands that take settings, from the folder's configuration.

    Raises:
        ConfigError: a file cannot be read, or has a key that is no option.
    """
    path, values = _find()
    if not values:
        return {}
    assert isinstance(ctx.command, click.Group)
    commands = {name: ctx.command.get_command(ctx, name) for name in CONFIGURABLE}
    known = {
        name: {p.name for p in command.params if isinstance(p, click.Option)}
        for name, command in commands.items()
        if command is not None
    }
    plain = {key.replace("-", "_"): _plain(value) for key, value in values.items()}
    for key in plain:
        _check_key(key, set().union(*known.values()) - {"help"}, path)
    return {
        name: {key: value for key, value in plain.items() if key in options}
        for name, options in known.items()
    }


def _find() -> tuple[Path, Mapping[str, Any]]:
    own, project = Path("onnxmem.toml"), Path("pyproject.toml")
    if own.is_file():
        return own, _read(own)
    if project.is_file():
        return project, _read(project).get("tool", {}).get("onnxmem", {})
    return own, {}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error


def _check_key(key: str, known: set[str], path: Path) -> None:
    if key in known:
        return
    near = difflib.get_close_matches(key, known, 1)
    hint = f"; did you mean {near[0].replace('_', '-')!r}?" if near else ""
    raise ConfigError(f"{path}: unknown key {key.replace('_', '-')!r}{hint}")


def _plain(value: Any) -> Any:
    """Return tables as `KEY=VALUE`, which is how the options take them."""
    if isinstance(value, Mapping):
        return [f"{key}={item}" for key, item in value.items()]
    return value
