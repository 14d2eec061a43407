"""Options from `onnxmem.toml`, or from `[tool.onnxmem]` of `pyproject.toml`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
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
    values = {key.replace("-", "_"): value for key, value in values.items()}
    options = {name: _options(ctx, name) for name in CONFIGURABLE}
    for key in values:
        _check_key(key, set().union(*options.values()), path)
    return {
        name: {key: _argument(values[key], own[key]) for key in values if key in own}
        for name, own in options.items()
    }


def _options(ctx: click.Context, name: str) -> dict[str, click.Option]:
    """Return the options of a command by the name that a configuration gives them."""
    assert isinstance(ctx.command, click.Group)
    command = ctx.command.get_command(ctx, name)
    assert command is not None
    return {p.name: p for p in command.params if isinstance(p, click.Option) and p.name}


def _find() -> tuple[Path, Mapping[str, Any]]:
    own, project = Path("onnxmem.toml"), Path("pyproject.toml")
    if own.is_file():
        return own, _read(own)
    if project.is_file():
        return project, _table(_table(_read(project), "tool", project), "onnxmem", project)
    return own, {}


def _table(values: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    table = values.get(key, {})
    if not isinstance(table, Mapping):
        raise ConfigError(f"{path}: {key!r} must be a table, such as [tool.onnxmem]")
    return table


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


def _argument(value: Any, option: click.Option) -> Any:
    """Return a value as the command line would bring it; tables become `KEY=VALUE`."""
    if option.is_flag:
        return value
    if isinstance(value, Mapping):
        items = list(_pairs(value))
    else:
        items = [str(item) for item in (value if isinstance(value, list) else [value])]
    return items if option.multiple else ",".join(items)


def _pairs(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield `KEY=VALUE`; a table within the table, such as `nmf.mixed = 0.5`, adds its name."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={value}"
